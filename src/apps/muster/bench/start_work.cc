#include <algorithm>
#include <vector>

#include <unistd.h>

#include "apps/load/latencies.h"
#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/own_server.h"
#include "apps/muster/bench/program_file.h"
#include "apps/muster/bench/start.h"

namespace muster::cli::bench {
namespace {

// A server is idle so long after it is ready.
constexpr useconds_t kIdleUs = 200'000;

Result<OwnPorts> ports_of(const StartSize& size) {
    OwnPorts ports{.client = static_cast<std::uint16_t>(size.client_port),
                   .http = static_cast<std::uint16_t>(size.http_port)};
    for (std::uint16_t* port : {&ports.client, &ports.http}) {
        while (*port == 0) {
            const auto found = find_free_port();
            if (!found) {
                return std::unexpected(found.error());
            }
            *port = *found == std::max(ports.client, ports.http) ? std::uint16_t{0} : *found;
        }
    }
    return ports;
}

void tell(Report& report, const load::Latencies& to_ready, Duration least,
          std::vector<std::uint64_t> rss) {
    std::ranges::sort(rss);
    auto& figures = report.figures;
    figures.push_back(time_figure("start_to_ready", "start to ready", to_ready));
    figures.push_back(value_figure("start_to_ready_least", "start to ready, shortest",
                                   static_cast<double>(least.count()) / 1e6, "ms"));
    const auto memory = [&](const char* metric, const char* what, std::uint64_t bytes) {
        figures.push_back(value_figure(metric, what, static_cast<double>(bytes), "B"));
    };
    memory("idle_rss_bytes_least", "memory when idle, least", rss.front());
    memory("idle_rss_bytes", "memory when idle, median", rss[rss.size() / 2]);
    memory("idle_rss_bytes_most", "memory when idle, most", rss.back());
}

}  // namespace

Result<void> run_start(Report& report, const StartSize& size, const StartSurroundings& around) {
    const auto program = describe_program("/proc/self/exe");
    if (!program) {
        return std::unexpected(program.error());
    }
    load::Latencies to_ready;
    Duration least = Duration::max();
    std::vector<std::uint64_t> rss;
    const Duration begin = load::now();
    for (std::uint64_t i = 0; i < size.runs && !around.stop(); ++i) {
        const auto ports = ports_of(size);
        if (!ports) {
            return std::unexpected(ports.error());
        }
        const auto server = OwnServer::start(*ports, around.ready, around.stop);
        if (!server && around.stop()) {
            break;
        }
        if (!server) {
            return std::unexpected(server.error());
        }
        ::usleep(kIdleUs);
        to_ready.add((*server)->time_to_ready());
        least = std::min(least, (*server)->time_to_ready());
        rss.push_back((*server)->rss_bytes());
        around.started(i + 1);
    }
    report.interrupted = around.stop();
    report.load = false;
    report.traffic_known = false;
    report.same_host = true;
    report.push = false;
    report.seconds = static_cast<double>((load::now() - begin).count()) / 1e9;
    if (!rss.empty()) {
        tell(report, to_ready, least, std::move(rss));
    }
    report.figures.push_back(
        value_figure("program_bytes",
                     program->stripped ? "the program, stripped" : "the program, with its symbols",
                     static_cast<double>(program->bytes), "B"));
    report.figures.push_back(
        value_figure("program_stripped", "the program is stripped", program->stripped ? 1 : 0));
    return {};
}

}  // namespace muster::cli::bench
