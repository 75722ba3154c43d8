# The libraries we stand on; every one is a Debian 12 package (scripts/packages lists them).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(uv REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(cjson REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(crypt REQUIRED IMPORTED_TARGET libcrypt)

add_library(uv ALIAS PkgConfig::uv)
add_library(curl ALIAS PkgConfig::curl)
add_library(cjson ALIAS PkgConfig::cjson)
add_library(crypt ALIAS PkgConfig::crypt)
