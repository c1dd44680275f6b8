#pragma once

namespace muster::detail {

// Prints the failed condition with its place to standard error and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line, const char* why);

}  // namespace muster::detail

// A mistake of ours: prints and aborts, in release builds too.
#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) [[unlikely]] {                                        \
            ::muster::detail::check_failed(#condition, __FILE__, __LINE__, ""); \
        }                                                                       \
    } while (false)

// The same with a literal that says why it must hold.
#define CHECK_BECAUSE(condition, why)                                            \
    do {                                                                         \
        if (!(condition)) [[unlikely]] {                                         \
            ::muster::detail::check_failed(#condition, __FILE__, __LINE__, why); \
        }                                                                        \
    } while (false)
