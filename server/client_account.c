/* client_account.c - a client in its account: which one, how it is counted there, what holds there. */
#include "client.h"

#include "account.h"
#include "jwt_login.h"
#include "options.h"
#include "server.h"

void client_leave_account(struct client *client)
{
    if (client->is_in_account)
        atomic_fetch_sub_explicit(&client->conn->account->clients, 1, memory_order_relaxed);
    client->is_in_account = false;
}

/* With a preload only a reload does that, and then it is as with everybody whom the file does not know. */
bool client_account_was_deleted(const struct client *client)
{
    const struct options *options = client_options(client);
    const struct account_options *account = account_options_of(options, client->conn->account);
    return client->login && options->operator_.resolver != RESOLVER_MEMORY &&
           !(account && account->claims);
}

void client_take_mappings(struct client *client)
{
    const struct account_options *account =
        account_options_of(client_options(client), client->conn->account);
    client->mappings = account && account->mapping_count > 0 ? account : NULL;
    client->msg_trace = account ? account->msg_trace : NULL;
}

void client_enter_account(struct client *client, struct account *account)
{
    client_leave_account(client);
    client->conn->account = account;
    client->is_in_account = true;
    client_take_mappings(client);
    atomic_fetch_add_explicit(&account->clients, 1, memory_order_relaxed);
}

/* Of the single user and of the token it is "$G". */
struct account *client_account_of(const struct client *client, const struct user_options *user)
{
    return user && user->account ? user->account->account : client->conn->worker->server->account;
}

/* -1 is unlimited */
static int64_t least(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

void client_take_limits(struct client *client, const struct user_options *user)
{
    const struct options *options = client_options(client);
    const struct account_options *account = user ? user->account : NULL;
    const struct jwt_login *login = client->login;
    client->max_payload = options->max_payload;
    client->max_subscriptions = options->max_subscriptions ? options->max_subscriptions : -1;
    if (account) {
        client->max_payload = least(client->max_payload, account->max_payload);
        client->max_subscriptions = least(client->max_subscriptions, account->max_subscriptions);
    }
    if (login) {
        client->max_payload = least(client->max_payload, login->max_payload);
        client->max_subscriptions = least(client->max_subscriptions, login->max_subscriptions);
    }
}

/* Itself included; so many close that as many as may stay do. */
bool client_account_is_full(const struct client *client, const struct user_options *user)
{
    const struct account *account = client->conn->account;
    const struct account_options *configured = user ? user->account : NULL;
    int64_t count = atomic_load_explicit(&account->clients, memory_order_relaxed) +
                    atomic_load_explicit(&account->leafnodes, memory_order_relaxed);
    return configured && configured->max_connections >= 0 && count > configured->max_connections;
}
