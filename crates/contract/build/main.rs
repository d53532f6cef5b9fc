//! Compiles `proto/` without `protoc`: descriptors, Rust messages, HTTP rules.

mod documented;
mod http_rules;
mod sources;
mod thin;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use prost::Message as _;

fn main() -> Result<()> {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", protos.display());
    println!("cargo::rerun-if-changed=build");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("OUT_DIR is not set")?);

    let mut compiler = protox::Compiler::with_file_resolver(sources::resolver(&protos));
    compiler.include_imports(true);
    for file in sources::ROOTS {
        compiler.open_file(file).with_context(|| format!("compiling {file}"))?;
    }
    std::fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    let documented = documented::documented(compiler.include_source_info(true).file_descriptor_set());
    std::fs::write(out.join("documented.bin"), documented.encode_to_vec())?;
    compiler.include_source_info(false);
    std::fs::write(out.join("http_rules.rs"), http_rules::table(&compiler.descriptor_pool())?)?;

    prost_build::Config::new()
        .out_dir(&out)
        .bytes(["."])
        .btree_map(["."])
        .compile_fds(thin::thinned(compiler.file_descriptor_set()))
        .context("generating code")?;
    Ok(())
}
