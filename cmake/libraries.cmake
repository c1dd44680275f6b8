# Libraries of others, all from Debian (docs/adr/0002-libraries.md).
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(GTest 1.12 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(Protobuf 3.21 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2 REQUIRED)
find_package(prometheus-cpp REQUIRED CONFIG)  # it tells no version
find_package(ZLIB 1.2.12 REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(benchmark 1.7 REQUIRED)

find_path(XXHASH_INCLUDE xxhash.h REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)
add_library(xxhash INTERFACE IMPORTED)
target_include_directories(xxhash INTERFACE ${XXHASH_INCLUDE})
target_link_libraries(xxhash INTERFACE ${XXHASH_LIBRARY})

find_path(ZSTD_INCLUDE zstd.h REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)
add_library(zstd INTERFACE IMPORTED)
target_include_directories(zstd INTERFACE ${ZSTD_INCLUDE})
target_link_libraries(zstd INTERFACE ${ZSTD_LIBRARY})

# Takes malloc's place in programs that name it. No program refers to it, so a linker would leave it
# out; sanitizers bring their own.
find_library(TCMALLOC_LIBRARY tcmalloc_minimal REQUIRED)
add_library(allocator INTERFACE IMPORTED)
if(NOT MUSTER_SANITIZE AND NOT MUSTER_FUZZ)
  target_link_libraries(allocator INTERFACE
    -Wl,--push-state,--no-as-needed ${TCMALLOC_LIBRARY} -Wl,--pop-state)
endif()
