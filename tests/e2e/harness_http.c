/* harness_http.c - asks the monitoring endpoints. */
#define E2E_INSIDE
#include "harness.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t collect(char *bytes, size_t unit, size_t count, void *body)
{
    return fwrite(bytes, unit, count, body);
}

static size_t read_header(char *line, size_t unit, size_t count, void *ctx)
{
    static const char ORIGIN[] = "Access-Control-Allow-Origin:";
    struct http_answer *answer = ctx;
    size_t size = unit * count;

    if (size > sizeof ORIGIN && strncasecmp(line, ORIGIN, sizeof ORIGIN - 1) == 0)
        sscanf(line + sizeof ORIGIN - 1, " %31[^\r\n]", answer->allow_origin);
    return size;
}

struct http_answer http_get(struct server *server, const char *path)
{
    struct http_answer answer = { 0 };
    size_t size = 0;
    const char *type = NULL;
    FILE *body = open_memstream(&answer.body, &size);
    CURL *curl = curl_easy_init();

    curl_easy_setopt(curl, CURLOPT_URL,
                     text("http://127.0.0.1:%d%s", server_monitor_port(server), path));
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)PATIENCE_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, read_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
    CURLcode code = curl_easy_perform(curl);

    fclose(body);
    keep(answer.body);
    if (code != CURLE_OK) {
        curl_easy_cleanup(curl);
        e2e_fail("GET %s: %s", path, curl_easy_strerror(code));
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    snprintf(answer.content_type, sizeof answer.content_type, "%s", type ? type : "");
    curl_easy_cleanup(curl);
    return answer;
}

cJSON *monitor(struct server *server, const char *path)
{
    struct http_answer answer = http_get(server, path);
    cJSON *json = cJSON_Parse(answer.body);

    if (answer.status != 200 || !json)
        e2e_fail("GET %s: status %ld, body '%.300s'", path, answer.status, answer.body);
    return keep_json(json);
}

double json_number(const cJSON *object, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!cJSON_IsNumber(member))
        e2e_fail("'%s' is missing or not a number", key);
    return member->valuedouble;
}

const char *json_text(const cJSON *object, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!cJSON_IsString(member))
        e2e_fail("'%s' is missing or not a string", key);
    return member->valuestring;
}

const char *json_shown(const cJSON *json)
{
    return keep(cJSON_PrintUnformatted(json));
}

bool json_has(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
}

bool json_true(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* A connection enters and leaves the list a moment after its peer can know. */
cJSON *connz_entry(struct server *server, const char *query, unsigned cid)
{
    for (uint64_t until_ms = now_ms() + PATIENCE_MS; now_ms() < until_ms; poll(NULL, 0, 20)) {
        cJSON *answer = monitor(server, text("/connz?%s&cid=%u", query, cid));
        cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "connections");

        if (cJSON_GetArraySize(list) == 1)
            return cJSON_GetArrayItem(list, 0);
    }
    return NULL;
}

const char *close_reason(struct server *server, unsigned cid)
{
    cJSON *entry = connz_entry(server, "state=closed", cid);

    if (!entry)
        e2e_fail("connection %u is not among the closed ones", cid);
    return json_text(entry, "reason");
}
