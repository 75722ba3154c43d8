/* start_memory.c - gives back what only the start has needed.
 *
 * Before main() the loader has read all tables of symbols and relocations of all libraries, 1 MB of libcrypto
 * alone. They stay in memory, though nobody looks at them again. So the unchanged pages of
 * program and libraries are given up once: those that are used come back from the page cache at their
 * next use. Pages that can be changed are left alone, and with them all that the loader has written. */
#include "start_memory.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where code itself was relocated its pages are changed, too. Not on our platforms, usually. */
static bool has_changed_code(const struct dl_phdr_info *object, const ElfW(Phdr) * header)
{
    if (header->p_type != PT_DYNAMIC)
        return false;
    const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->dlpi_addr + header->p_vaddr);
    while (entry->d_tag != DT_NULL && entry->d_tag != DT_TEXTREL)
        entry++;
    return entry->d_tag == DT_TEXTREL;
}

static void release_segment(const struct dl_phdr_info *object, const ElfW(Phdr) * header)
{
    if (header->p_type != PT_LOAD || (header->p_flags & PF_W))
        return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (object->dlpi_addr + header->p_vaddr) & ~(page - 1);
    uintptr_t end = object->dlpi_addr + header->p_vaddr + header->p_memsz;
    madvise((void *)begin, end - begin, MADV_DONTNEED);
}

static int release_object(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size, (void)unused;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (has_changed_code(object, &object->dlpi_phdr[i]))
            return 0;
    for (int i = 0; i < object->dlpi_phnum; i++)
        release_segment(object, &object->dlpi_phdr[i]);
    return 0;
}

void start_memory_release(void)
{
    malloc_trim(0);
    dl_iterate_phdr(release_object, NULL);
}
