#include "server_process.h"

#include <fstream>
#include <iterator>
#include <utility>

#include <unistd.h>

#include "sockets.h"

namespace muster::bench {
namespace {

constexpr Duration kReadyPatience = std::chrono::seconds(10);

}  // namespace

ServerProcess::ServerProcess(const std::vector<std::string>& settings)
    : bolt_port_(free_port()), http_port_(free_port()) {
    const std::string log = folder_.path() + "/server.log";
    const Duration begin = now();
    std::vector<std::string> arguments{"server",
                                       "--data-dir",
                                       folder_.path() + "/data",
                                       "--set",
                                       "bolt.listen=127.0.0.1:" + std::to_string(bolt_port_),
                                       "--set",
                                       "http.listen=127.0.0.1:" + std::to_string(http_port_)};
    for (const std::string& setting : settings) {
        arguments.insert(arguments.end(), {"--set", setting});
    }
    process_ = std::make_unique<Process>(arguments, log);
    while (http_get(http_port_, "/health/ready").status != 200) {
        if (now() - begin > kReadyPatience || !process_->running()) {
            std::ifstream file(log);
            const std::string said{std::istreambuf_iterator<char>(file), {}};
            die(Process::program() + " server did not become ready: " + said);
        }
        ::usleep(500);
    }
    time_to_ready_ = now() - begin;
}

ServerProcess::~ServerProcess() {
    process_->terminate();
}

std::string ServerProcess::metrics() const {
    HttpAnswer answer = http_get(http_port_, "/metrics");
    if (answer.status != 200) {
        die("the server does not tell its metrics: " + answer.body);
    }
    return std::move(answer.body);
}

}  // namespace muster::bench
