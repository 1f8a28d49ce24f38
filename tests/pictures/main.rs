//! The picture engine on whole files: a gallery in which one property matters at a time, real photographs, and files
//! that mean harm. All but the photographs are made here.

mod avif;
mod bitmaps;
mod gallery;
mod hostile;
mod large;
mod made;
mod orientation;
mod photographs;
mod pngs;
mod render_pool;
mod tiffs;
mod tools;
mod unusual;
mod vectors;
