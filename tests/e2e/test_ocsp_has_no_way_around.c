/* Whatever way a client takes in, and whatever TLS offers to shorten a handshake or to change it afterwards:
 * a client with a revoked certificate is refused, without one as well, and the others are served. */
#include "harness_ocsp.h"

#include <openssl/err.h>
#include <string.h>

OCSP_BEHAVIOUR(ocsp_has_no_way_around);

static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* ---- doors ------------------------------------------------------------------------------------- */

/* PROXY v2: signature, version and command, family, length, addresses and ports. */
static const char PROXY_2[] =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\x01\x02\x03\x0a\0\0\x01\x04\x57\x10\x7e";
static const char PROXY_1[] = "PROXY TCP4 10.1.2.3 10.0.0.1 1111 4222\r\n";

struct door {
    const char *tls_more, *more;
    bool info_first;    /* INFO comes in clear, before TLS */
    const char *header; /* of a proxy, sent before anything else */
    size_t header_size;
    const char *name; /* the server to ask for, or NULL */
};

#define PROXIED "proxy_protocol: true"

static const struct door DOORS[] = {
    {"",                          "",                              true,  "",      0,                  NULL       },
    { "handshake_first: true",    "",                              false, "",      0,                  NULL       },
    { "handshake_first: auto",    "",                              true,  "",      0,                  NULL       }, /* waits for INFO */
    { "handshake_first: \"60s\"", "",                              false, "",      0,                  NULL       },
    { "",                         "allow_non_tls: true",           true,  "",      0,                  NULL       },
    { "handshake_first: auto",    "allow_non_tls: true",           true,  "",      0,                  NULL       },
    { "handshake_first: \"60s\"", "allow_non_tls: true",           false, "",      0,                  NULL       },
    { "",                         PROXIED,                         true,  PROXY_1, sizeof PROXY_1 - 1, NULL       },
    { "",                         PROXIED,                         true,  PROXY_2, sizeof PROXY_2 - 1, NULL       },
    { "handshake_first: true",    PROXIED,                         false, PROXY_1, sizeof PROXY_1 - 1, NULL       },
    { "handshake_first: \"60s\"", PROXIED,                         false, PROXY_2, sizeof PROXY_2 - 1, NULL       },
    { "",                         PROXIED "\nallow_non_tls: true", true,  PROXY_2, sizeof PROXY_2 - 1, NULL       },
    { "verify_and_map: true",
     "authorization { users: [ { user: \"CN=client-good,O=Vouch Test\" }, "
      "{ user: \"CN=client-revoked,O=Vouch Test\" } ] }",          true,  "",      0,                  NULL       },
    { "",                         "",                              true,  "",      0,                  "localhost"},
};
enum { DOOR_COUNT = sizeof DOORS / sizeof *DOORS };

static struct conn *knock_at(struct server *server, const struct door *door)
{
    struct conn *conn = tcp_open(server);

    if (door->header_size > 0 && !door->info_first)
        conn_write(conn, door->header, door->header_size);
    if (door->info_first)
        conn_read_info(conn);
    if (door->header_size > 0 && door->info_first)
        conn_write(conn, door->header, door->header_size);
    return conn;
}

static void is_turned_away(struct server *server, const struct door *door,
                           const struct tls_wishes *wishes)
{
    struct conn *conn = knock_at(server, door);
    char answer[64];
    bool is_through = conn_try_tls(conn, wishes);

    if (is_through)
        conn_send(conn, "CONNECT %s\r\nPING\r\n", QUIET);
    require(!is_through || conn_read_some(conn, answer, sizeof answer, PATIENCE_MS) == 0,
            "the client was served");
    require(ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_SSL, "there was no alert");
    conn_expect_closed(conn);
}

static void is_welcome(struct server *server, const struct door *door,
                       const struct tls_wishes *wishes)
{
    struct conn *conn = knock_at(server, door);

    conn_start_tls(conn, wishes);
    if (!door->info_first)
        conn_read_info(conn);
    conn_login(conn, QUIET);
    conn_barrier(conn);
}

EACH_ROW(ocsp_has_no_way_around, through_any_door, DOOR_COUNT)
{
    const struct door *door = &DOORS[*row];
    authority_answers();
    if (is_reference() && door->header_size > 0)
        return; /* it waits for the header before it sends INFO */
    struct server *server = server_asking(
        &(struct asking){ .ocsp_peer = "true", .tls_more = door->tls_more, .more = door->more });

    for (size_t i = 0; i < 2; i++) {
        struct tls_wishes revoked = showing("client-revoked", VERSIONS[i]);
        struct tls_wishes good = showing("client-good", VERSIONS[i]);
        struct tls_wishes nobody = { .ca_file = cert_path("ca.pem"), .max_version = VERSIONS[i] };

        revoked.name = good.name = nobody.name = door->name;
        is_turned_away(server, door, &revoked);
        is_welcome(server, door, &good);
        is_turned_away(server, door, &nobody);
        is_turned_away(server, door, &revoked); /* from memory this time */
    }
}

/* What allow_non_tls allows: clear text, not TLS without a check. */
SCENARIO(ocsp_has_no_way_around, except_in_clear_where_that_is_allowed)
{
    authority_answers();
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "true", .more = "allow_non_tls: true" });

    conn_barrier(nats_login(server, QUIET));
    is_refused(server, "client-revoked", TLS1_2_VERSION);
    is_refused(server, "client-revoked", TLS1_3_VERSION);
    is_let_in(server, "client-good", 0);
}

/* ---- shorter handshakes -------------------------------------------------------------------------- */

static void without_tickets(SSL *ssl)
{
    SSL_set_options(ssl, SSL_OP_NO_TICKET); /* so the session is asked for by its id */
}

/* The session of a client that was let in, offered by one that shows the revoked certificate. */
SCENARIO(ocsp_has_no_way_around, with_a_session_by_its_id)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct tls_wishes good = showing("client-good", TLS1_2_VERSION);
    struct tls_wishes revoked = showing("client-revoked", TLS1_2_VERSION);

    good.prepare = revoked.prepare = without_tickets;
    struct conn *client = nats_login_tls(server, &good, QUIET);
    conn_barrier(client);
    revoked.session = SSL_get1_session(conn_tls(client));
    conn_close(client);
    client = nats_open(server);
    conn_expect_refusal(client, conn_try_tls(client, &revoked));
    SSL_SESSION_free(revoked.session);
}

static const unsigned char KEY[32] = "a key that nobody agreed upon..";

/* TLS 1.3: a session of our own making, which may carry early data. */
static int offer_psk(SSL *ssl, const EVP_MD *hash, const unsigned char **id, size_t *id_len,
                     SSL_SESSION **out)
{
    static const unsigned char AES_128[] = { 0x13, 0x01 };
    SSL_SESSION *session = SSL_SESSION_new();

    (void)hash;
    SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, AES_128));
    SSL_SESSION_set1_master_key(session, KEY, sizeof KEY);
    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION);
    SSL_SESSION_set_max_early_data(session, 4096);
    *id = (const unsigned char *)"gate";
    *id_len = 4;
    *out = session;
    return 1;
}

static void with_psk(SSL *ssl)
{
    SSL_set_psk_use_session_callback(ssl, offer_psk);
}

static const char EARLY[] = "CONNECT {}\r\nPUB early 5\r\nhello\r\nPING\r\n";

static void with_early_data(SSL *ssl)
{
    size_t written = 0;

    with_psk(ssl);
    SSL_set_connect_state(ssl);
    SSL_write_early_data(ssl, EARLY, sizeof EARLY - 1, &written);
    if (written != sizeof EARLY - 1)
        e2e_fail("the early data were not sent");
}

static void is_of_no_use(void (*prepare)(SSL *), int early_data_status)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct tls_wishes good = showing("client-good", 0), revoked = showing("client-revoked", 0);
    struct conn *listener = is_let_in(server, "client-noaia", 0);

    conn_send(listener, "SUB early 1\r\n");
    conn_barrier(listener);
    good.prepare = revoked.prepare = prepare;
    struct conn *client = nats_open(server);
    bool is_through = conn_try_tls(client, &revoked);
    if (is_through)
        conn_send(client, "CONNECT {}\r\nPING\r\n");
    conn_expect_refusal(client, is_through);
    client = nats_login_tls(server, &good, QUIET);
    conn_barrier(client);
    require(!SSL_session_reused(conn_tls(client)), "the key was taken");
    cr_assert_eq(SSL_get_early_data_status(conn_tls(client)), early_data_status);
    conn_barrier(listener); /* it heard nothing early */
}

SCENARIO(ocsp_has_no_way_around, with_a_key_shared_before)
{
    is_of_no_use(with_psk, SSL_EARLY_DATA_NOT_SENT);
}

SCENARIO(ocsp_has_no_way_around, with_early_data)
{
    if (is_reference())
        return; /* Go's TLS has no patience with it */
    is_of_no_use(with_early_data, SSL_EARLY_DATA_REJECTED);
}

static unsigned give_psk(SSL *ssl, const char *hint, char *id, unsigned id_max, unsigned char *key,
                         unsigned key_max)
{
    (void)ssl, (void)hint;
    snprintf(id, id_max, "gate");
    memcpy(key, KEY, key_max < sizeof KEY ? key_max : sizeof KEY);
    return sizeof KEY;
}

/* TLS 1.2: cipher suites in which a shared key takes the place of certificates. */
static void with_psk_suites(SSL *ssl)
{
    SSL_set_psk_client_callback(ssl, give_psk);
    SSL_set_cipher_list(ssl, "PSK:aNULL:@SECLEVEL=0");
}

SCENARIO(ocsp_has_no_way_around, with_suites_without_certificates)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct tls_wishes wishes = { .max_version = TLS1_2_VERSION, .prepare = with_psk_suites };
    struct conn *client = nats_open(server);

    require(!conn_try_tls(client, &wishes), "the client is in");
    conn_expect_closed(client);
}

/* ---- another certificate afterwards ---------------------------------------------------------------- */

static void allow_renegotiation(SSL *ssl)
{
    SSL_set_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
}

static void allow_post_handshake(SSL *ssl)
{
    SSL_set_post_handshake_auth(ssl, 1);
}

static void show_another(SSL *ssl, const char *name)
{
    if (SSL_use_certificate_file(ssl, cert_path(text("%s.pem", name)), SSL_FILETYPE_PEM) != 1 ||
        SSL_use_PrivateKey_file(ssl, cert_path(text("%s.key", name)), SSL_FILETYPE_PEM) != 1)
        e2e_fail("cannot load the certificate '%s'", name);
}

SCENARIO(ocsp_has_no_way_around, by_negotiating_again)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);

    responder_set(ca, ROOT_SLOT, &script);
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct tls_wishes wishes = showing("client-good", TLS1_2_VERSION);
    wishes.prepare = allow_renegotiation;
    struct conn *client = nats_login_tls(server, &wishes, QUIET);
    SSL *ssl = conn_tls(client);
    unsigned cid = conn_id(client);
    char answer[64];

    show_another(ssl, "client-revoked");
    require(SSL_renegotiate(ssl) == 1, "the client does not want to");
    SSL_do_handshake(ssl); /* sends the hello */
    conn_read_some(client, answer, sizeof answer, PATIENCE_MS);
    require(SSL_num_renegotiations(ssl) == 0 || !SSL_is_init_finished(ssl),
            "it was negotiated again");
    conn_close(client);
    close_reason(server, cid);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 1);
    conn_barrier(is_let_in(server, "client-good", 0));
}

/* The client offers it; the server never asks. */
SCENARIO(ocsp_has_no_way_around, by_another_certificate_after_the_handshake)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);

    responder_set(ca, ROOT_SLOT, &script);
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct tls_wishes wishes = showing("client-good", TLS1_3_VERSION);
    wishes.prepare = allow_post_handshake;
    struct conn *client = nats_login_tls(server, &wishes, QUIET);

    show_another(conn_tls(client), "client-revoked");
    for (int i = 0; i < 3; i++) {
        SSL_key_update(conn_tls(client), SSL_KEY_UPDATE_REQUESTED);
        conn_barrier(client);
    }
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 1);
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));
    require(entry && strstr(json_shown(entry), "client-good") &&
                !strstr(json_shown(entry), "client-revoked"),
            "/connz shows %s", entry ? json_shown(entry) : "nothing");
}
