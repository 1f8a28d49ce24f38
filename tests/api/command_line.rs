//! The command line as a person or a script meets it: what each command prints where, how it ends, and what it does
//! to a server that runs and to one that does not.

mod configuration;
mod documents;
mod keys;
mod libraries;
mod serve;
mod signals;
