//! TLS to the database: what is checked of its certificate, and the certificate that is shown to it. The modes are
//! those of libpq.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::OpenError;

/// What PostgreSQL asks for where TLS begins without its own greeting (`sslnegotiation=direct`).
const ALPN: &[u8] = b"postgresql";
/// In place of a file: the roots that the machine trusts.
const SYSTEM: &str = "system";

/// How much is asked of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No TLS.
    Disable,
    /// TLS if the server has it, whoever it is.
    #[default]
    Prefer,
    /// TLS, with whoever it is; with roots, one that they vouch for.
    Require,
    /// A server that the roots vouch for, by whatever name.
    VerifyCa,
    /// The server that the URL names, by what the roots vouch for.
    VerifyFull,
}

/// What the URL says of TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    pub(crate) mode: Mode,
    /// A file of certificates, or [`SYSTEM`].
    pub(crate) roots: Option<String>,
    /// A file with the certificate to show, and those that vouch for it.
    pub(crate) certificate: Option<String>,
    /// A file with its key.
    pub(crate) key: Option<String>,
}

impl Tls {
    /// What connections are made with.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect, OpenError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| OpenError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(&provider)?);
        let mut config = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate)?;
                let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
                builder
                    .with_client_auth_cert(chain, private)
                    .map_err(|error| OpenError::Tls(format!("{certificate} with {key}: {error}")))?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, OpenError> {
        let by_roots = || {
            WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots()?), Arc::clone(provider))
                .build()
                .map_err(|error| OpenError::Tls(error.to_string()))
        };
        Ok(match self.mode {
            Mode::VerifyFull => by_roots()?,
            Mode::VerifyCa => Arc::new(AnyName(by_roots()?)),
            Mode::Require if self.roots.is_some() => Arc::new(AnyName(by_roots()?)),
            Mode::Require | Mode::Prefer | Mode::Disable => Arc::new(Anybody(Arc::clone(provider))),
        })
    }

    /// The roots of a file, or those of the machine.
    fn roots(&self) -> Result<RootCertStore, OpenError> {
        let mut roots = RootCertStore::empty();
        match self.roots.as_deref() {
            Some(path) if path != SYSTEM => {
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(|error| OpenError::Tls(format!("{path}: {error}")))?;
                }
            }
            _ => {
                // Machines have roots that no library can read; one that is missed shows with the connection.
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    return Err(OpenError::Tls(
                        "this machine has no roots: name some in sslrootcert".to_owned(),
                    ));
                }
            }
        }
        Ok(roots)
    }
}

/// The certificates of a file, one at least.
fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    let found = read().map_err(|error| unreadable(path, &error))?;
    if found.is_empty() {
        return Err(OpenError::Tls(format!("{path} holds no certificate")));
    }
    Ok(found)
}

fn unreadable(path: &str, error: &rustls::pki_types::pem::Error) -> OpenError {
    OpenError::Tls(format!("cannot read {path}: {error}"))
}

/// Takes a certificate that the roots vouch for, whatever its name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.verify_server_cert(certificate, between, name, ocsp, now) {
            // Names are looked at last: all else was found to be right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Takes any certificate whose key the server has: nobody can listen, but anybody can be the server.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
