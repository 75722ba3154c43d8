/* conf_tree.h - the memory of a configuration tree, and maps and arrays while they are being filled.
 *
 * Everything of one tree lives in an arena and dies with it. A value that was substituted for a
 * variable shares its members with the original, so a tree may be much larger to walk than to
 * store; weight and height bound the walk. One owner, one thread. */
#ifndef PARSER_CONF_TREE_H
#define PARSER_CONF_TREE_H

#include "base/map.h"

#include "conf.h"

#define CONF_MAX_DEPTH   1000       /* levels of maps and arrays */
#define CONF_MAX_NODES   4000000    /* values in the files themselves */
#define CONF_MAX_WEIGHT  1000000    /* values that variables may add, see conf_node */
#define CONF_MAX_BYTES   (64 << 20) /* of all files together */
#define CONF_MAX_FILES   10000
#define CONF_MAX_INCLUDE 10 /* files inside files */

struct conf_node {
    struct conf_value value; /* first: a value of the tree is always a node */
    uint64_t weight;         /* values to walk from here; long strings and keys count more */
    size_t index;            /* in the map that holds it */
    int height;              /* levels below it */
};

struct conf_chunk;

struct conf {
    struct conf_chunk *chunks; /* owned: the arena, newest first */
    struct conf_value *root;
    uint64_t node_count;
    uint64_t substituted; /* weight of all that variables stand for */
    size_t byte_count, file_count;
    bool too_deep; /* the error names the chain of includes already */
};

/** What a string or a key adds to the weight: as much as the values that would take its place. */
static inline uint64_t conf_text_weight(size_t len)
{
    return len / 32;
}

/** Memory that lives as long as the tree; zeroed. */
void *conf_alloc(struct conf *conf, size_t size);
/** A NUL-terminated copy in the tree. */
const char *conf_keep(struct conf *conf, struct span text);
void conf_free_chunks(struct conf *conf);

static inline struct conf_node *conf_node_of(struct conf_value *value)
{
    return (struct conf_node *)(void *)value;
}

/** A map or an array that is still open. The links to the maps around it are the path along which
 *  variables are looked up. */
struct conf_open {
    const struct conf_open *outer; /* borrowed; NULL at the top of a file */
    struct conf_value **items;     /* owned; NULL where a later member took the key */
    size_t count, cap;
    struct map index; /* key -> struct conf_node; unused for arrays */
};

void conf_open_append(struct conf_open *open, struct conf_value *value);
/** Adds a member; an earlier one of exactly that name is dropped. */
void conf_open_put(struct conf_open *open, struct conf_value *value);
/** Makes the items those of `value`, which is a map or an array, and empties `open`. */
void conf_open_close(struct conf_open *open, struct conf *conf, struct conf_value *value);
void conf_open_free(struct conf_open *open);
/** The member of that name in this map or the nearest one around it, or NULL. */
struct conf_value *conf_open_lookup(const struct conf_open *open, struct span name);

#endif
