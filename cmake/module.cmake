# muster_module(NAME [DEPS ...] [LIBS ...] [TEST_LIBS ...] [TEST_LABEL label] [TEST_DEPS ...])
#
# Makes of the current folder
#   - the static library NAME from its *.cc (an interface library when there are none),
#   - the test binary NAME_test from its *_test.cc, under the ctest label TEST_LABEL (unit),
#   - a link test that proves DEPS and LIBS complete: the whole archive with an empty main,
#   - one libFuzzer target per *_fuzz.cc, and a ctest (label fuzz) that replays its corpus
#     tests/corpus/NAME-of-the-file with the ordinary compiler,
#   - one Google Benchmark binary NAME_bench from its *_bench.cc, run tiny as label bench_smoke.
# DEPS are modules (checked against src/layers.toml), LIBS libraries of others.
set(MUSTER_EMPTY_MAIN "${CMAKE_CURRENT_LIST_DIR}/empty_main.cc")
set(MUSTER_REPLAY_MAIN "${CMAKE_CURRENT_LIST_DIR}/fuzz_replay_main.cc")
get_filename_component(MUSTER_SOURCE_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

# One precompiled header for all modules and one for all tests.
if(MUSTER_PCH AND NOT MUSTER_FUZZ)
  set(pch_headers <algorithm> <chrono> <cstdint> <expected> <functional> <map> <memory> <optional>
      <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>)
  add_library(muster_pch STATIC "${MUSTER_EMPTY_MAIN}")
  target_precompile_headers(muster_pch PRIVATE ${pch_headers})
  # An executable: its code is PIE as that of tests.
  add_executable(muster_test_pch "${MUSTER_EMPTY_MAIN}")
  target_link_libraries(muster_test_pch PRIVATE GTest::gmock)
  target_compile_definitions(muster_test_pch PRIVATE MUSTER_SOURCE_ROOT="${MUSTER_SOURCE_ROOT}")
  target_precompile_headers(muster_test_pch PRIVATE ${pch_headers} <gmock/gmock.h> <gtest/gtest.h>)
endif()

function(muster_use_pch target pch)
  if(TARGET ${pch})
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
endfunction()

function(muster_module NAME)
  cmake_parse_arguments(ARG "" "TEST_LABEL" "DEPS;LIBS;TEST_LIBS;TEST_DEPS" ${ARGN})
  if(NOT ARG_TEST_LABEL)
    set(ARG_TEST_LABEL unit)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")

  if(sources)
    add_library(${NAME} STATIC ${sources})
    target_include_directories(${NAME} PUBLIC "${MUSTER_SOURCE_ROOT}/src")
    target_link_libraries(${NAME} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_LIBS})
    muster_use_pch(${NAME} muster_pch)
    add_executable(${NAME}_link_test "${MUSTER_EMPTY_MAIN}")
    target_link_libraries(${NAME}_link_test
      PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,${NAME}> ${ARG_DEPS} ${ARG_LIBS})
    add_test(NAME ${NAME}.links COMMAND ${NAME}_link_test)
    set_tests_properties(${NAME}.links PROPERTIES LABELS tidy)
  else()
    add_library(${NAME} INTERFACE)
    target_include_directories(${NAME} INTERFACE "${MUSTER_SOURCE_ROOT}/src")
    target_link_libraries(${NAME} INTERFACE ${ARG_DEPS})
  endif()

  if(tests)
    add_executable(${NAME}_test ${tests})
    target_link_libraries(${NAME}_test
      PRIVATE ${NAME} ${ARG_TEST_DEPS} ${ARG_TEST_LIBS} GTest::gmock_main)
    target_compile_definitions(${NAME}_test PRIVATE MUSTER_SOURCE_ROOT="${MUSTER_SOURCE_ROOT}")
    muster_use_pch(${NAME}_test muster_test_pch)
    add_test(NAME ${NAME} COMMAND ${NAME}_test)
    set_tests_properties(${NAME} PROPERTIES LABELS ${ARG_TEST_LABEL} TIMEOUT 300)
  endif()

  foreach(fuzzer ${fuzzers})
    get_filename_component(fuzz_name "${fuzzer}" NAME_WE)
    set(corpus "${MUSTER_SOURCE_ROOT}/tests/corpus/${fuzz_name}")
    if(MUSTER_FUZZ)
      add_executable(${fuzz_name} "${fuzzer}")
      target_link_options(${fuzz_name} PRIVATE -fsanitize=fuzzer)
    else()
      add_executable(${fuzz_name} "${fuzzer}" "${MUSTER_REPLAY_MAIN}")
      add_test(NAME ${fuzz_name} COMMAND ${fuzz_name} "${corpus}")
      set_tests_properties(${fuzz_name} PROPERTIES LABELS fuzz TIMEOUT 120)
    endif()
    target_link_libraries(${fuzz_name} PRIVATE ${NAME} ${ARG_TEST_DEPS})
  endforeach()

  if(benches AND NOT MUSTER_FUZZ)
    add_executable(${NAME}_bench ${benches})
    target_link_libraries(${NAME}_bench PRIVATE ${NAME} ${ARG_TEST_DEPS} benchmark::benchmark_main)
    add_test(NAME ${NAME}_bench COMMAND ${NAME}_bench --benchmark_min_time=0.001)
    set_tests_properties(${NAME}_bench PROPERTIES LABELS bench_smoke TIMEOUT 120)
  endif()
endfunction()

# muster_app(NAME [SOURCES ...] [DEPS ...] [LIBS ...] [STARTS ...])
#
# Makes the program build/PRESET/bin/NAME, underscores as dashes (muster_sim -> muster-sim), from
# SOURCES (all *.cc of the folder that are no tests, when left out). STARTS are other programs that
# it runs as processes: building it builds them.
function(muster_app NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS;STARTS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
    list(FILTER ARG_SOURCES EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  endif()
  string(REPLACE "_" "-" program "${NAME}")
  add_executable(${NAME} ${ARG_SOURCES})
  target_include_directories(${NAME} PRIVATE "${MUSTER_SOURCE_ROOT}/src")
  target_link_libraries(${NAME} PRIVATE ${ARG_DEPS} ${ARG_LIBS})
  set_target_properties(${NAME} PROPERTIES
    OUTPUT_NAME "${program}" RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  if(ARG_STARTS)
    add_dependencies(${NAME} ${ARG_STARTS})
  endif()
endfunction()
