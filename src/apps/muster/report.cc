#include "apps/muster/report.h"

#include <cstdio>

namespace muster::cli {

int report(const Error& error) {
    std::fprintf(stderr, "muster: %s\n", to_string(error).c_str());
    return info(error.code).exit_status;
}

}  // namespace muster::cli
