//! One port: HTTP/1.1 and HTTP/2, REST routed by the contract's annotations, messages converted to and from
//! the domain, errors as `google.rpc.Status`, limits on everything.
//!
//! The way of a request: [`serve`] accepts and frames it, `rest` finds the RPC and turns JSON into wire bytes,
//! `rpc` calls the domain through `convert`, and the answer goes back the same way. `grpc` hands its messages to the
//! same `rpc` as they come.

mod app;
mod convert;
mod describe;
mod grpc;
mod rest;
mod rpc;
pub mod serve;
mod status;

pub use app::{App, HttpLimits};
