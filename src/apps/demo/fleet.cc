#include "apps/demo/fleet.h"

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include <muster/muster.h>
#include <signal.h>
#include <unistd.h>

#include "apps/demo/tiny_http.h"

namespace muster::demo {
namespace {

constexpr int kReadyWithinMs = 10'000;

// A port that can be listened at now.
std::optional<std::uint16_t> usable_port(std::uint16_t wanted) {
    const auto listening = listen_local(wanted);
    if (!listening) {
        return std::nullopt;
    }
    ::close(listening->first);
    return listening->second;
}

std::string in_use(const char* what, std::uint16_t port, const char* flag) {
    return "port " + std::to_string(port) + " (" + what + ") is in use; choose another with " +
           flag + " PORT (0: a free one)";
}

std::string content_of(const std::string& file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace

Fleet::Fleet(std::string programs, std::string folder)
    : programs_(std::move(programs)), folder_(std::move(folder)) {
    for (const auto& [service, count, calls] :
         {std::tuple("orders", 2, "payments"), std::tuple("payments", 2, "stock"),
          std::tuple("stock", 3, "")}) {
        for (int i = 1; i <= count; ++i) {
            providers_.push_back({.service = service,
                                  .name = service + std::string("-") + std::to_string(i),
                                  .zone = i % 2 == 1 ? "a" : "b",
                                  .calls = calls});
        }
    }
}

Fleet::~Fleet() {
    providers_.clear();
    server_.stop(1000);
}

std::optional<std::string> Fleet::start_registry(FleetPorts ports) {
    const auto bolt = usable_port(ports.bolt);
    if (!bolt) {
        return in_use("clients", ports.bolt, "--bolt-port");
    }
    const auto http = usable_port(ports.http);
    if (!http) {
        return in_use("HTTP", ports.http, "--http-port");
    }
    registry_ = "127.0.0.1:" + std::to_string(*bolt);
    http_ = "127.0.0.1:" + std::to_string(*http);
    const std::string output = folder_ + "/registry.log";
    server_ = Child::start({programs_ + "/muster", "server", "--data-dir", folder_ + "/data",
                            "--set", "bolt.listen=" + registry_, "--set", "http.listen=" + http_},
                           output);
    for (int waited = 0; waited < kReadyWithinMs; waited += 2) {
        if (!server_.running()) {
            return "the registry ended: " + content_of(output);
        }
        if (http_get("127.0.0.1", *http, "/health/ready")) {
            return std::nullopt;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return "the registry was not ready within 10 s: " + content_of(output);
}

std::uint64_t Fleet::start(Provider& provider) {
    ++provider.starts;
    const std::uint64_t begun = muster_now_ns();
    provider.child = Child::start(
        {programs_ + "/demo-fleet", "--service", provider.service, "--name", provider.name,
         "--zone", provider.zone, "--version", std::to_string(provider.starts), "--registry",
         registry_, "--calls", provider.calls, "--end-with-parent"},
        folder_ + "/" + provider.name + ".log");
    return begun;
}

std::uint64_t Fleet::kill(Provider& provider) {
    const std::uint64_t sent = muster_now_ns();
    if (provider.child.running()) {
        ::kill(provider.child.pid(), SIGKILL);
    }
    return sent;
}

}  // namespace muster::demo
