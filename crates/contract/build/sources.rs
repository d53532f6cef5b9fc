//! Where `.proto` files come from. `v1` files do not exist: they are the `v1beta1` files, renamed.

use std::path::{Path, PathBuf};

use protox::Error;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// What is compiled; the rest is imported.
pub const ROOTS: &[&str] = &[
    "colloquy/v1/session_service.proto",
    "google/cloud/aiplatform/v1beta1/session_service.proto",
    "google/cloud/aiplatform/v1beta1/reasoning_engine_service.proto",
    "google/cloud/aiplatform/v1/session_service.proto",
    "google/cloud/aiplatform/v1/reasoning_engine_service.proto",
    "google/longrunning/operations.proto",
    "google/rpc/error_details.proto",
];

/// Finds our files, then the well-known types.
pub fn resolver(protos: &Path) -> impl FileResolver + use<> {
    let mut chain = ChainFileResolver::new();
    chain.add(Ours { protos: protos.to_owned() });
    chain.add(GoogleFileResolver::new());
    chain
}

struct Ours {
    protos: PathBuf,
}

impl FileResolver for Ours {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        let derived = name.starts_with("google/cloud/aiplatform/v1/");
        let path = if derived { name.replacen("/v1/", "/v1beta1/", 1) } else { name.to_owned() };
        let source =
            std::fs::read_to_string(self.protos.join(path)).map_err(|_| Error::file_not_found(name))?;
        let source = if derived { source.replace("v1beta1", "v1") } else { source };
        File::from_source(name, &source)
    }
}
