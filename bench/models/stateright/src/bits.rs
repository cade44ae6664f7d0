//! Fields of a word.

/// Where the elements of an array stand in a word: the first one's lowest bit, the bits of each, and how far one is from the next.
pub struct Field(pub u32, pub u32, pub u32);

impl Field {
    pub fn get(&self, word: u64, element: u32) -> u64 {
        word >> (self.0 + self.2 * element) & ((1 << self.1) - 1)
    }
    pub fn set(&self, word: u64, element: u32, value: u64) -> u64 {
        let at = self.0 + self.2 * element;
        word & !(((1 << self.1) - 1) << at) | value << at
    }
}

/// The numbers of the bits that are set, from the lowest.
pub fn ones(mut word: u32) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros());
        word &= word.wrapping_sub(1);
        bit
    })
}
