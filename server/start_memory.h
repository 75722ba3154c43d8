/* start_memory.h - memory that only the start has needed. */
#ifndef SERVER_START_MEMORY_H
#define SERVER_START_MEMORY_H

/** Gives it back to the system. Any thread; the others may go on meanwhile. */
void start_memory_release(void);

#endif
