// demo-fleet: one provider of one service, as a user of the SDK would write it. It answers
//   GET /      with its name
//   GET /call  with its name and the answer of a service it calls, picked through the SDK
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <muster/muster.hpp>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/demo/tiny_http.h"

namespace muster::demo {
namespace {

struct FleetOptions {
    std::string service;
    std::string name;
    std::string registry = "127.0.0.1:9600";
    std::string zone = "a";
    std::string version = "1";
    std::string calls;  // service to call; empty: none
    std::uint16_t port = 0;
    bool end_with_parent = false;
};

std::string call_other(const sdk::Subscription& other) {
    static_cast<void>(other.await(std::chrono::seconds(1)));  // the first list, after a start
    auto call = other.pick();
    if (!call) {
        return "nobody to call (" + call.error().to_string() + ")\n";
    }
    const auto answer = http_get(std::string((*call)->ip), (*call)->port, "/");
    return answer ? *answer : "no answer of " + (*call)->address() + "\n";
}

int serve(const FleetOptions& options, int listener,
          const std::optional<sdk::Subscription>& other) {
    const std::string self = options.name + " of " + options.service + " version " +
                             options.version + " in zone " + options.zone + "\n";
    while (true) {
        const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) {
            continue;
        }
        const std::string path = read_request_path(connection);
        if (!path.empty()) {
            answer_text(connection,
                        path == "/call" && other ? self + "calls " + call_other(*other) : self);
        }
        ::close(connection);
    }
}

int run(const FleetOptions& options) {
    const auto listening = listen_local(options.port);
    if (!listening) {
        std::cerr << "demo-fleet: port " << options.port
                  << " is in use; choose another with --port\n";
        return 1;
    }
    auto client =
        sdk::Client::open({.servers = options.registry, .zone = options.zone, .app = options.name});
    if (!client) {
        std::cerr << "demo-fleet: " << client.error().to_string() << "\n";
        return 1;
    }
    sdk::EndpointSpec spec{.service = options.service, .ip = "127.0.0.1"};
    spec.port = listening->second;
    spec.metadata = {
        {"name", options.name}, {"pid", std::to_string(::getpid())}, {"version", options.version}};
    auto registration = client->register_endpoint(spec);
    if (!registration) {
        std::cerr << "demo-fleet: " << registration.error().to_string() << "\n";
        return 1;
    }
    std::optional<sdk::Subscription> other;
    if (!options.calls.empty()) {
        auto subscription = client->subscribe({.service = options.calls});
        if (!subscription) {
            std::cerr << "demo-fleet: " << subscription.error().to_string() << "\n";
            return 1;
        }
        other = std::move(*subscription);
    }
    return serve(options, listening->first, other);
}

}  // namespace
}  // namespace muster::demo

int main(int argc, char** argv) {
    muster::demo::FleetOptions options;
    CLI::App app("One provider of the demonstration: registers itself and answers HTTP");
    app.add_option("--service", options.service, "Name of the service")->required();
    app.add_option("--name", options.name, "Name of this provider")->required();
    app.add_option("--registry", options.registry, "host:port of the registry")
        ->capture_default_str();
    app.add_option("--zone", options.zone, "Zone it stands in")->capture_default_str();
    app.add_option("--version", options.version, "Version it says it is")->capture_default_str();
    app.add_option("--calls", options.calls, "Service that GET /call asks");
    app.add_option("--port", options.port, "Port on 127.0.0.1; 0 takes a free one")
        ->capture_default_str();
    app.add_flag("--end-with-parent", options.end_with_parent, "End when the parent does");
    CLI11_PARSE(app, argc, argv);
    if (options.end_with_parent) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    return muster::demo::run(options);
}
