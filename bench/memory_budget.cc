#include "memory_budget.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <new>
#include <string>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sockets.h"

namespace muster::bench {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;
// Sanitizers map terabytes that they do not use: then only used() tells.
constexpr std::uint64_t kMappedMax = std::uint64_t{1} << 40U;

std::uint64_t available() {
    std::ifstream info("/proc/meminfo");
    std::string name;
    std::uint64_t kib = 0;
    std::string unit;
    while (info >> name >> kib >> unit) {
        if (name == "MemAvailable:") {
            return kib * 1024;
        }
    }
    die("/proc/meminfo does not say how much memory is available");
}

struct Pages {
    std::uint64_t mapped = 0;  // in bytes
    std::uint64_t resident = 0;
};

Pages pages() {
    std::ifstream file("/proc/self/statm");
    Pages read;
    file >> read.mapped >> read.resident;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return {.mapped = read.mapped * page, .resident = read.resident * page};
}

}  // namespace

MemoryBudget::MemoryBudget(std::uint64_t wanted, std::uint64_t needed) {
    const std::uint64_t there = available();
    bytes_ = std::min(wanted, there / 3 * 2);
    std::fprintf(stderr, "muster-bench: takes up to %.1f GiB of the %.1f GiB that are available\n",
                 static_cast<double>(bytes_) / kGiB, static_cast<double>(there) / kGiB);
    if (bytes_ < needed) {
        die(fmt::format("this needs {:.1f} GiB for itself: free some memory, or use --tiny",
                        static_cast<double>(needed) / kGiB));
    }
    const std::uint64_t mapped = pages().mapped;
    if (mapped > kMappedMax) {
        return;
    }
    // A little above, as what is mapped is not all resident.
    const rlim_t limit = mapped + bytes_ + bytes_ / 4;
    const rlimit both{.rlim_cur = limit, .rlim_max = RLIM_INFINITY};
    if (::setrlimit(RLIMIT_AS, &both) != 0) {
        die("cannot limit the memory of this process");
    }
    std::set_new_handler([] { die("took more memory than it said it would, and stops"); });
}

std::uint64_t MemoryBudget::used() {
    return pages().resident;
}

}  // namespace muster::bench
