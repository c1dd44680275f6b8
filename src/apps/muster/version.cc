#include "apps/muster/version.h"

#include <cstdio>

namespace muster::cli {

int run_version(const QueryOptions& options) {
    if (options.output == "json") {
        std::printf("{\"version\":\"%s\"}\n", MUSTER_VERSION);
    } else {
        std::printf("muster %s\n", MUSTER_VERSION);
    }
    return 0;
}

}  // namespace muster::cli
