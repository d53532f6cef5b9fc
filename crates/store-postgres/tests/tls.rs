//! TLS to the database: who is taken for it, and who is let in, by certificates that are made here.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test")]

mod cluster;

use colloquy_sessions::store::Store as _;
use colloquy_store_conformance::block_on;
use colloquy_store_postgres::{Options, PostgresStore};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use tokio_postgres::{Client, NoTls};

use cluster::Cluster;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A certificate and its key, as files hold them.
struct Identity {
    certificate: String,
    key: String,
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What an authority vouches for: a server by its names, or a client by its common name.
fn identity(
    authority: &Authority,
    common_name: &str,
    names: &[&str],
    usage: ExtendedKeyUsagePurpose,
) -> Identity {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Identity { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// Why a store does not open; none where it does, and works.
async fn refusal(url: &str) -> Option<String> {
    match PostgresStore::open(url, Options::default()).await {
        Ok(store) => {
            store.health().await.unwrap();
            store.close().await;
            None
        }
        Err(error) => Some(error.to_string()),
    }
}

/// A connection beside those of stores.
async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A file that the store can read.
fn file(cluster: &Cluster, name: &str, text: &str) -> String {
    let path = cluster.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[track_caller]
fn assert_refused(refusal: Option<String>, why: &str) {
    assert!(refusal.as_ref().is_some_and(|text| text.contains(why)), "{refusal:?}; not {why}");
}

/// Rules of who is let in: `named` by its certificate, `scram` by a password over TLS alone, others as they come.
const RULES: &str = "\
hostnossl all named,scram 127.0.0.1/32 reject
hostssl all named 127.0.0.1/32 cert
hostssl all scram 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
";

#[test]
fn certificates_say_who_is_who() {
    let (ours, others) = (authority("ours"), authority("others"));
    let server = identity(&ours, "db", &["localhost"], ExtendedKeyUsagePurpose::ServerAuth);
    let client = identity(&ours, "named", &[], ExtendedKeyUsagePurpose::ClientAuth);
    let stranger = identity(&others, "named", &[], ExtendedKeyUsagePurpose::ClientAuth);
    let cluster = Cluster::start(
        &[
            ("server.crt", &server.certificate),
            ("server.key", &server.key),
            ("root.crt", &ours.pem()),
            ("hba", RULES),
        ],
        &[
            "ssl=on",
            "ssl_cert_file={folder}/server.crt",
            "ssl_key_file={folder}/server.key",
            "ssl_ca_file={folder}/root.crt",
            "hba_file={folder}/hba",
        ],
    );
    let roots = file(&cluster, "ours.pem", &ours.pem());
    let other_roots = file(&cluster, "others.pem", &others.pem());
    let by_name = cluster.url("postgres", "localhost");
    let by_address = cluster.url("postgres", "127.0.0.1");
    block_on(async {
        // Without roots nobody asks who the server is.
        for mode in ["prefer", "require"] {
            assert_eq!(refusal(&format!("{by_address}?sslmode={mode}")).await, None);
        }
        let admin = connect(&format!("{by_name}?sslmode=disable")).await;
        for (mode, expected) in [("disable", false), ("prefer", true), ("require", true)] {
            let url = format!("{by_address}?sslmode={mode}&application_name={mode}");
            let store = PostgresStore::open(&url, Options::default()).await.unwrap();
            let encrypted =
                "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = $1";
            let found = admin.query_one(encrypted, &[&mode]).await.unwrap().get::<_, bool>(0);
            assert_eq!(found, expected, "{mode}");
            store.close().await;
        }
        // With roots, they are asked; the name counts where it is said to.
        for (mode, host, result) in [
            ("verify-full", &by_name, None),
            ("verify-full", &by_address, Some("certificate not valid for name")),
            ("verify-ca", &by_address, None),
            ("require", &by_address, None),
        ] {
            let refused = refusal(&format!("{host}?sslmode={mode}&sslrootcert={roots}")).await;
            match result {
                None => assert_eq!(refused, None, "{mode}"),
                Some(why) => assert_refused(refused, why),
            }
        }
        for mode in ["verify-full", "verify-ca", "require"] {
            let refused = refusal(&format!("{by_name}?sslmode={mode}&sslrootcert={other_roots}")).await;
            assert_refused(refused, "UnknownIssuer");
        }
        // The roots of the machine do not vouch for it.
        assert_refused(refusal(&format!("{by_name}?sslmode=verify-full&sslrootcert=system")).await, "TLS");

        let certificate = file(&cluster, "client.crt", &client.certificate);
        let key = file(&cluster, "client.key", &client.key);
        let shown_by = |certificate: &str, key: &str| {
            let named = cluster.url("named", "localhost");
            format!("{named}?sslmode=verify-full&sslrootcert={roots}&sslcert={certificate}&sslkey={key}")
        };
        let roles = "CREATE ROLE named LOGIN SUPERUSER; CREATE ROLE scram LOGIN SUPERUSER PASSWORD 'secret'";
        admin.batch_execute(roles).await.unwrap();
        assert_eq!(refusal(&shown_by(&certificate, &key)).await, None);
        let nothing = cluster.url("named", "localhost");
        assert_refused(refusal(&format!("{nothing}?sslmode=require")).await, "certificate");
        let strange = file(&cluster, "stranger.crt", &stranger.certificate);
        let strange_key = file(&cluster, "stranger.key", &stranger.key);
        assert_refused(refusal(&shown_by(&strange, &strange_key)).await, "cannot open the database");
        // A key of another certificate, and files that are none, are told of before anybody is asked.
        assert_refused(
            refusal(&shown_by(&certificate, &strange_key)).await,
            "TLS to the database cannot be set up",
        );
        assert_refused(refusal(&shown_by(&certificate, &roots)).await, "cannot read");
        assert_refused(
            refusal(&format!("{by_name}?sslmode=verify-ca&sslrootcert={key}")).await,
            "no certificate",
        );
        assert_refused(
            refusal(&format!("{by_name}?sslmode=verify-ca&sslrootcert=/none")).await,
            "cannot read /none",
        );

        // A password is bound to the connection that it was asked for on.
        let scram = cluster.url("scram:secret", "localhost");
        let bound = format!("{scram}?sslmode=verify-full&sslrootcert={roots}&channel_binding=require");
        assert_eq!(refusal(&bound).await, None);
        assert_refused(refusal(&format!("{scram}?sslmode=disable")).await, "rejects");
    });
}

#[test]
fn a_server_without_tls_is_refused_where_tls_is_asked_for() {
    let cluster = Cluster::start(&[], &[]);
    let url = cluster.url("postgres", "127.0.0.1");
    block_on(async {
        assert_eq!(refusal(&format!("{url}?sslmode=prefer")).await, None);
        assert_refused(refusal(&format!("{url}?sslmode=require")).await, "does not support TLS");
        let roots = file(&cluster, "roots.pem", &authority("ours").pem());
        let refused = refusal(&format!("{url}?sslmode=verify-full&sslrootcert={roots}")).await;
        assert_refused(refused, "does not support TLS");
    });
}
