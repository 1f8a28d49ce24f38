//! What must not compile: grants and administrators that were not made by the check of who may. Each case in
//! `compile_fail/` fails with exactly the error beside it. `TRYBUILD=overwrite` writes the errors again.

#[test]
fn who_may_can_not_be_forged() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
