//! Tests of the operations as a whole, from within.

mod power_cuts;
