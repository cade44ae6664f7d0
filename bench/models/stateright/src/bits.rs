//! Fields of a word.

use std::ops::{BitAnd, BitOr, Not, Shl, Shr, Sub};

/// What states are packed into.
pub trait Word:
    Copy
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + Not<Output = Self>
    + Sub<Output = Self>
    + From<u64>
{
    /// The lowest 64 bits.
    fn low(self) -> u64;
}

impl Word for u64 {
    fn low(self) -> u64 {
        self
    }
}

impl Word for u128 {
    fn low(self) -> u64 {
        self as u64
    }
}

/// Where the elements of an array stand in a word: the first one's lowest bit, the bits of each, and how far one is from the next.
#[derive(Clone, Copy)]
pub struct Field(pub u32, pub u32, pub u32);

impl Field {
    fn mask<W: Word>(&self) -> W {
        (W::from(1) << self.1) - W::from(1)
    }
    pub fn get<W: Word>(&self, word: W, element: u32) -> u64 {
        (word >> (self.0 + self.2 * element) & self.mask()).low()
    }
    pub fn set<W: Word>(&self, word: W, element: u32, value: u64) -> W {
        let at = self.0 + self.2 * element;
        word & !(self.mask::<W>() << at) | W::from(value) << at
    }
}

/// How many bits the numbers up to `most` need.
pub const fn width(most: u32) -> u32 {
    u32::BITS - most.leading_zeros()
}

/// The numbers of the bits that are set, from the lowest.
pub fn ones(word: impl Into<u64>) -> impl Iterator<Item = u32> {
    let mut word = word.into();
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros());
        word &= word.wrapping_sub(1);
        bit
    })
}
