use rasterd::core::data_dir_lock::DataDirLock;

fn main() {
    let _ = DataDirLock { path: "/".into() }.administrator();
}
