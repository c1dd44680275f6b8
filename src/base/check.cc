#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace muster::detail {

void check_failed(const char* condition, const char* file, int line, const char* why) {
    std::fprintf(stderr, "CHECK failed: %s at %s:%d%s%s\n", condition, file, line,
                 why[0] != '\0' ? ", because " : "", why);
    std::fflush(stderr);
    std::abort();
}

}  // namespace muster::detail
