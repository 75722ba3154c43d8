/* options_mqtt.c - mqtt {}: what the block may say. What only concerns how nats-server stores MQTT
 * in JetStream is checked and ignored. */
#include "options_schema.h"

#define AT(field) offsetof(struct mqtt_options, field)

static option_read_fn read_max_ack_pending, warn_ignored;

#define JETSTREAM(name, aliases, type)                                                             \
    ROW(name, aliases, type, NOWHERE, NULL, RELOAD_NOTHING, NULL,                                  \
        .help = "Ignored: there is no JetStream here.")

static const struct option_row MQTT_ROWS[] = {
    LISTENER_BLOCK_ROWS("clients", ", usually 1883"),
    ROW("no_auth_user", NULL, OPTION_STRING, AT(auth.no_auth_user), NULL, RELOAD_RESTART, NULL,
        .help = "User of clients that show no credentials."),
    ROW("authorization", "authentication", OPTION_CUSTOM, AT(auth), NULL, RELOAD_RESTART, NULL,
        .help = "Who may come in here, instead of who may on the client port.",
        .read = read_override_auth, .block = &OVERRIDE_AUTH_SCHEMA),
    ROW("ack_wait", "ackwait", OPTION_DURATION_MS, AT(ack_wait_ms), "30s", RELOAD_LIVE, NULL,
        .help = "Time for a client to acknowledge a message before it is sent again.",
        .zero_is_default = true),
    ROW("max_ack_pending", "max_pending max_inflight", OPTION_INT, AT(max_ack_pending), "1024",
        RELOAD_LIVE, NULL, .help = "Messages that may wait for acknowledgement, up to 65535.",
        .zero_is_default = true, .read = read_max_ack_pending),
    ROW("reject_qos2_publish", NULL, OPTION_BOOL, AT(reject_qos2_publish), "false", RELOAD_RESTART,
        NULL, .help = "Close clients that publish with QoS 2."),
    ROW("downgrade_qos2_subscribe", NULL, OPTION_BOOL, AT(downgrade_qos2_subscribe), "false",
        RELOAD_RESTART, NULL, .help = "Grant QoS 1 to subscriptions that ask for QoS 2."),
    JETSTREAM("js_domain", NULL, OPTION_STRING),
    JETSTREAM("stream_replicas", NULL, OPTION_INT64),
    JETSTREAM("consumer_memory_storage", NULL, OPTION_BOOL),
    JETSTREAM("consumer_inactive_threshold", "consumer_auto_cleanup", OPTION_DURATION_MS),
    JETSTREAM("js_api_timeout", "api_timeout", OPTION_DURATION_MS),
    ROW("consumer_replicas", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Ignored with a warning.", .read = warn_ignored),
};

const struct schema MQTT_SCHEMA = {
    .name = "mqtt",
    .rows = MQTT_ROWS,
    .count = ROW_COUNT(MQTT_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static void read_max_ack_pending(struct options_reader *reader, const struct option_row *row,
                                 const struct conf_value *value, void *target)
{
    if (!value_is(reader, value, CONF_INTEGER))
        return;
    if (value->integer < 0 || value->integer > UINT16_MAX)
        problem_at(reader, value, "invalid value %lld, should in [0..65535] range",
                   (long long)value->integer);
    else if (value->integer > 0)
        *(int *)row_field(row, target) = (int)value->integer;
}

static void warn_ignored(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    warning_at(reader, value, "consumer replicas setting ignored in this server version");
}

void read_mqtt(struct options_reader *reader, const struct option_row *row,
               const struct conf_value *value, void *target)
{
    if (value->type != CONF_MAP) {
        say_expected(reader, value, "mqtt to be a map");
        return;
    }
    struct mqtt_options *mqtt = listener_block(reader, value, &MQTT_SCHEMA, sizeof *mqtt);
    schema_read(reader, &MQTT_SCHEMA, value, mqtt);
    *(struct mqtt_options **)row_field(row, target) = mqtt;
}
