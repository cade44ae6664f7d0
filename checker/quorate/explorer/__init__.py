"""`quorate explore`: a protocol stepped through in the browser. A thin server over the engines; what a picture looks like is decided
in `quorate.report`."""
