//! The picture engine on whole files: a gallery in which one property matters at a time, real photographs, and files
//! that mean harm. All but the photographs are made here.

mod gallery;
mod hostile;
mod made;
mod photographs;
mod studio;
mod tools;
