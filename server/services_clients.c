/* services_clients.c - requests that only a client's own worker can serve: to close it, to tell it to move, and who
 * it is.
 *
 *   control --post to every worker--> the one that has the client acts --post back--> the last one answers */
#include "services_private.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include "account.h"
#include "client.h"
#include "internal.h"
#include "jwt_login.h"
#include "permissions.h"
#include "server.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* ---- an errand to whichever worker has a client ------------------------------------------------------------ */

enum errand_result { NOT_FOUND, FOUND, NOT_READY };

struct errand;

struct errand_leg {
    struct post post;
    struct errand *errand;
    enum errand_result result; /* of this worker */
};

struct errand {
    struct service_reply *reply;
    uint64_t cid;
    enum errand_result (*act)(struct client *client);
    const char *not_found;
    unsigned missing, count;
    struct errand_leg legs[MAX_WORKERS];
};

static void finish(struct server *server, struct errand *errand)
{
    const char *problem = errand->not_found;
    for (unsigned i = 0; i < errand->count; i++) {
        if (errand->legs[i].result == FOUND)
            problem = NULL;
        else if (errand->legs[i].result == NOT_READY)
            problem = "client does not support Lame Duck Mode or is not ready to receive the "
                      "notification";
    }
    service_acknowledge(server, errand->reply, problem);
    free(errand);
}

static void come_back(struct worker *control, struct post *post)
{
    struct errand *errand = ((struct errand_leg *)post)->errand;
    if (--errand->missing == 0)
        finish(control->server, errand);
}

static struct client *find_client(struct worker *worker, uint64_t cid)
{
    struct conn *conn = worker_find_conn(worker, cid);
    return conn && conn->protocol == &CLIENT_PROTOCOL && conn_is_live(conn) ? client_of(conn)
                                                                            : NULL;
}

static void look(struct worker *worker, struct post *post)
{
    struct errand_leg *leg = (struct errand_leg *)post;
    struct client *client = find_client(worker, leg->errand->cid);
    if (client)
        leg->result = leg->errand->act(client);
    leg->post.run = come_back;
    worker_post(worker->server->control, &leg->post);
}

static void run_errand(const struct service_request *request,
                       enum errand_result (*act)(struct client *client), const char *not_found)
{
    struct server *server = request->server;
    const cJSON *cid = cJSON_GetObjectItem(request->body, "cid");
    struct errand *errand = mem_zero(sizeof *errand);
    errand->reply = service_reply_to(request);
    errand->cid = cJSON_IsNumber(cid) && cid->valuedouble < 0x1p64 ? (uint64_t)cid->valuedouble : 0;
    errand->act = act;
    errand->not_found = not_found;
    errand->count = errand->missing =
        atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    for (unsigned i = 0; i < errand->count; i++) {
        errand->legs[i].errand = errand;
        errand->legs[i].post.run = look;
        worker_post(server->workers[i], &errand->legs[i].post);
    }
}

static enum errand_result kick(struct client *client)
{
    conn_close(client->conn, CLOSE_KICKED);
    return FOUND;
}

void serve_kick(struct service_request *request)
{
    run_errand(request, kick, "no such client or leafnode id");
}

static enum errand_result tell_to_move(struct client *client)
{
    if (client->protocol_version < 1 || !client->has_ponged)
        return NOT_READY;
    client_send_ldm_info(client);
    return FOUND;
}

void serve_ldm(struct service_request *request)
{
    run_errand(request, tell_to_move, "no such client id");
}

/* ---- who a user is ------------------------------------------------------------------------------------------ */

struct question {
    struct post post;
    struct service_reply *reply;
    uint64_t cid;
    struct buf data; /* empty: the client has gone */
};

static void tell(struct worker *control, struct post *post)
{
    struct question *question = (struct question *)post;
    if (question->data.len)
        service_answer(control->server, question->reply, buf_span(&question->data));
    else
        service_forget(control->server, question->reply);
    buf_free(&question->data);
    free(question);
}

static void put_user(const struct client *client, struct buf *out)
{
    const struct jwt_login *login = client->login;
    const char *account = client->conn->account->name, *tag = login ? login->account_tag : account;
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    struct json json = json_begin(out, 0);
    json_object(&json, NULL);
    json_string(&json, "user", client->user_kind == USER_TOKEN ? "[REDACTED]" : client->user);
    json_string(&json, "account", account);
    if (tag)
        json_string(&json, "account_name", tag);
    if (login && login->claims->name)
        json_string(&json, "user_name", login->claims->name);
    if (client->permissions)
        permissions_print(&json, "permissions", client->permissions);
    int64_t left_s = login && login->expires_at_s ? login->expires_at_s - now_s : 0;
    if (left_s > 0)
        json_int(&json, "expires", left_s * NS_PER_S);
    json_object_end(&json);
}

static void describe(struct worker *worker, struct post *post)
{
    struct question *question = (struct question *)post;
    const struct client *client = find_client(worker, question->cid);
    if (client)
        put_user(client, &question->data);
    question->post.run = tell;
    worker_post(worker->server->control, &question->post);
}

void serve_user_info(struct service_request *request)
{
    const struct conn_handle *origin = &request->message->origin;
    struct server *server = request->server;
    if (origin->cid == 0)
        return;
    struct question *question = mem_zero(sizeof *question);
    question->post.run = describe;
    question->reply = service_reply_to(request);
    question->cid = origin->cid;
    worker_post(server->workers[origin->worker], &question->post);
}
