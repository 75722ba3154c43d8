# add_module(NAME SOURCES a.c ... HEADERS public.h ... DEPENDS target ...)
#
# A folder is a module. Only the headers named here can be seen by others, and only by those who
# list the module in DEPENDS: they are linked into a folder of their own, which is all that the
# include path of a dependent gets. An include that was not declared does not compile.
function(add_module name)
    cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;DEPENDS" ${ARGN})
    set(exposed ${CMAKE_BINARY_DIR}/include/${name})
    file(REMOVE_RECURSE ${exposed})
    file(MAKE_DIRECTORY ${exposed}/${name})
    foreach(header ${arg_HEADERS})
        file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${header} ${exposed}/${name}/${header} SYMBOLIC)
    endforeach()

    if(arg_SOURCES)
        add_library(${name} STATIC ${arg_SOURCES})
        target_include_directories(${name} PUBLIC ${exposed})
        target_link_libraries(${name} PUBLIC ${arg_DEPENDS})
    else()
        add_library(${name} INTERFACE)
        target_include_directories(${name} INTERFACE ${exposed})
    endif()
endfunction()
