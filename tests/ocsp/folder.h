/* folder.h - a folder for the files of one test. */
#ifndef TESTS_OCSP_FOLDER_H
#define TESTS_OCSP_FOLDER_H

#include <stddef.h>

/** Makes a new one and writes its path. */
void folder_make(char path[64]);
/** Deletes it with everything in it. */
void folder_remove(const char *path);
/** How many things are in it. */
size_t folder_count(const char *path);

#endif
