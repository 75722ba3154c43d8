/* conf_reader.h - reads configuration texts into a tree. */
#ifndef PARSER_CONF_READER_H
#define PARSER_CONF_READER_H

#include "conf_tree.h"

/** Reads `text` and all that it includes; `name` is its file name. True when conf->root is set.
 *  Source: behaviour of nats-server's configuration language. */
bool conf_read(struct conf *conf, struct span text, const char *name, struct error *err);

#endif
