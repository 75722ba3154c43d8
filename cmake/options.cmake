# Language, warnings, hardening and sanitizers: the same for every target.
option(VOUCH_TESTS "build the tests" ON)
option(VOUCH_FUZZ "build the libFuzzer targets (clang only)" OFF)
option(VOUCH_HARDEN "hardening flags of a released binary" OFF)
set(VOUCH_SANITIZE "" CACHE STRING "value for -fsanitize=, empty for none")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_definitions(_GNU_SOURCE VOUCH_VERSION="${PROJECT_VERSION}")
add_compile_options(
    -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wswitch-enum -Wvla -Wformat=2 -Wwrite-strings -Wundef -fno-common)

if(VOUCH_SANITIZE)
    add_compile_options(-fsanitize=${VOUCH_SANITIZE} -fno-omit-frame-pointer
                        -fno-sanitize-recover=all)
    # gcc's own advice: sanitizers hide from it that a variable was set
    add_compile_options($<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    add_link_options(-fsanitize=${VOUCH_SANITIZE})
endif()

if(VOUCH_HARDEN)
    include(CheckPIESupported)
    check_pie_supported()
    add_compile_options(
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
        -fcf-protection=full -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks
        -Werror=format-security)
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack,-z,nodlopen -Wl,--as-needed)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
