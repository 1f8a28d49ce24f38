use rasterd::core::data_dir::DataDir;

fn main() {
    let _ = DataDir { path: "/".into() }.administrator();
}
