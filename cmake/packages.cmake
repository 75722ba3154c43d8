# The libraries we stand on; every one is a Debian 12 package (scripts/packages lists them).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
if(OPENSSL_VERSION VERSION_GREATER_EQUAL 4)
    message(WARNING "OpenSSL ${OPENSSL_VERSION}: what docs/decisions/0025 says of sessions was seen in version 3 only")
endif()
pkg_check_modules(uv REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(cjson REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(crypt REQUIRED IMPORTED_TARGET libcrypt)

add_library(uv ALIAS PkgConfig::uv)
add_library(cjson ALIAS PkgConfig::cjson)
add_library(crypt ALIAS PkgConfig::crypt)

# Only libcurl's headers: the library itself is loaded when it is needed (ocsp/curl.h).
add_library(curl INTERFACE)
target_include_directories(curl SYSTEM INTERFACE ${curl_INCLUDE_DIRS})
target_link_libraries(curl INTERFACE ${CMAKE_DL_LIBS})
