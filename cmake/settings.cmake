# Language, warnings and build-wide switches. Presets choose among them.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

option(MUSTER_PCH "Precompile the standard headers" ON)
option(MUSTER_WERROR "Warnings are errors" ON)
set(MUSTER_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, such as address,undefined")
option(MUSTER_FUZZ "Build the libFuzzer targets (clang only)" OFF)

find_program(ccache_program ccache)
if(ccache_program)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ccache_program})
  set(CMAKE_C_COMPILER_LAUNCHER ${ccache_program})
endif()
find_program(mold_program mold)
if(mold_program)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
                    -Woverloaded-virtual -Wimplicit-fallthrough
                    -Wno-missing-field-initializers)  # designated initialisers leave out defaults
if(MUSTER_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns falsely about std::variant and std::expected at -O2.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds
                      -Wno-stringop-overflow -Wno-stringop-overread -fpch-preprocess)
endif()
if(MUSTER_SANITIZE)
  add_compile_options(-fsanitize=${MUSTER_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MUSTER_SANITIZE})
endif()
if(MUSTER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
