#include <cstdlib>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include "server_process.h"
#include "sockets.h"
#include "standalone.h"

namespace muster::bench {
namespace {

// Size of the server's program without symbols.
double stripped_megabytes() {
    std::string copy = (std::filesystem::temp_directory_path() / "muster-stripped-XXXXXX").string();
    const int fd = ::mkstemp(copy.data());
    if (fd < 0) {
        die("cannot make a file in " + std::filesystem::temp_directory_path().string());
    }
    ::close(fd);
    const std::string program = Process::program();
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::execlp("strip", "strip", "-o", copy.c_str(), program.c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (status != 0) {
        die("strip failed");
    }
    const auto bytes = static_cast<double>(std::filesystem::file_size(copy));
    std::filesystem::remove(copy);
    return bytes / 1e6;
}

}  // namespace

void run_start(Report& report, const Effort& effort) {
    const auto bound = [&](double limit) {
        return effort.judge ? std::optional(Bound{Bound::Kind::at_most, limit}) : std::nullopt;
    };
    std::vector<double> starts;
    double idle_megabytes = 0;
    for (std::size_t i = 0; i < effort.starts; ++i) {
        const ServerProcess server;
        starts.push_back(static_cast<double>(server.time_to_ready().count()) / 1e6);
        if (i + 1 == effort.starts) {
            ::sleep(1);
            idle_megabytes = static_cast<double>(server.rss_bytes()) / 1e6;
        }
    }
    report.add({.bench = "start",
                .metric = "to_ready",
                .unit = "ms",
                .spread = spread_of(starts),
                .bound = bound(200),
                .bound_on_p99 = true});
    report.add({.bench = "start",
                .metric = "idle_rss",
                .unit = "MB",
                .value = idle_megabytes,
                .bound = bound(30)});
    report.add({.bench = "start",
                .metric = "stripped_program",
                .unit = "MB",
                .value = stripped_megabytes(),
                .bound = bound(25)});
}

}  // namespace muster::bench
