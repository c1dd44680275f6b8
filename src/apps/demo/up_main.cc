// muster-up: a registry, a small fleet, and a consumer that shows what it is told.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <muster/muster.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/demo/fleet.h"
#include "apps/demo/fleet_view.h"
#include "apps/demo/sightings.h"
#include "apps/demo/tiny_http.h"

namespace muster::demo {
namespace {

constexpr int kPatienceMs = 8000;

struct UpOptions {
    FleetPorts ports;
    bool once = false;
    unsigned every_ms = 3000;
};

int complain(const std::string& what) {
    fmt::print(stderr, "muster-up: {}\n", what);
    return 1;
}

// A folder that goes with the object.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "muster-up-XXXXXX").string();
        path_ = ::mkdtemp(name.data()) != nullptr ? name : std::string();
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::string& path() const {
        return path_;
    }

private:
    std::string path_;
};

// The three services, subscribed for good.
sdk::Result<void> subscribe_all(const sdk::Client& client, Sightings& sightings) {
    for (const std::string service : {"orders", "payments", "stock"}) {
        auto subscription = client.subscribe(
            {.service = service, .on_list = [service, &sightings](const sdk::List& list) {
                 sightings.on_list(service, list);
             }});
        if (!subscription) {
            return subscription.error();
        }
        subscription->detach();
    }
    return {};
}

bool await_all(Fleet& fleet, const Sightings& sightings) {
    for (const auto& provider : fleet.providers()) {
        if (!sightings.await({provider.service, provider.name, "", true}, kPatienceMs)) {
            complain(provider.name + " did not appear within " +
                     std::to_string(kPatienceMs / 1000) + " s");
            return false;
        }
    }
    return true;
}

// Asks a provider for its name, and for that of the service it calls. The provider is a subscriber
// like us and is told independently of us: it may be milliseconds behind, but not
// kCallableWithinNs.
std::optional<std::string> problem_of_answer(const Provider& provider, std::uint16_t port) {
    constexpr std::uint64_t kCallableWithinNs = 1'000'000'000;
    const std::string own = provider.name + " of " + provider.service;
    const std::string called = " of " + provider.calls;
    const std::uint64_t begun = muster_now_ns();
    while (true) {
        const auto answer = http_get("127.0.0.1", port, provider.calls.empty() ? "/" : "/call");
        if (!answer || !answer->starts_with(own)) {
            return "does not answer";
        }
        if (provider.calls.empty() || answer->find(called, own.size()) != std::string::npos) {
            return std::nullopt;
        }
        if (muster_now_ns() - begun > kCallableWithinNs) {
            return "could not call " + provider.calls + " for 1 s: " + *answer;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

// The lists name exactly the providers that run, and each of them answers HTTP.
bool lists_are_right(Fleet& fleet, const Sightings& sightings) {
    const auto services = sightings.services();
    std::size_t running = 0;
    for (auto& provider : fleet.providers()) {
        const auto& told = services.at(provider.service).providers;
        const auto seen = told.find(provider.name);
        const bool runs = provider.child.running();
        running += runs ? 1U : 0U;
        if (runs != (seen != told.end())) {
            complain(provider.name +
                     (runs ? " runs but is not in the list" : " is in the list but does not run"));
            return false;
        }
        if (!runs) {
            continue;
        }
        const auto colon = seen->second.address.rfind(':');
        const auto port =
            static_cast<std::uint16_t>(std::stoi(seen->second.address.substr(colon + 1)));
        if (const auto problem = problem_of_answer(provider, port)) {
            complain(provider.name + " at " + seen->second.address + " " + *problem);
            return false;
        }
    }
    fmt::print("lists are right; all {} providers answer HTTP\n", running);
    return true;
}

int run_once(Fleet& fleet, Sightings& sightings) {
    fmt::print("{}", lists_text(sightings));
    Provider& victim = fleet.providers().front();
    sightings.expect(victim.name, muster_now_ns());
    Fleet::kill(victim);
    if (!sightings.await({victim.service, victim.name, "", false}, kPatienceMs)) {
        return complain("not told of the death of " + victim.name);
    }
    victim.child.kill_now();
    fmt::print("{}\n", change_text(sightings.changes().back()));
    if (!lists_are_right(fleet, sightings)) {
        return 1;
    }
    sightings.expect(victim.name, muster_now_ns());
    fleet.start(victim);
    if (!sightings.await({victim.service, victim.name, std::to_string(victim.starts), true},
                         kPatienceMs)) {
        return complain("not told of the return of " + victim.name);
    }
    fmt::print("{}\n", change_text(sightings.changes().back()));
    return lists_are_right(fleet, sightings) ? 0 : 1;
}

// ---- the live view

class Terminal {
public:
    explicit Terminal(bool live) : live_(live) {
        if (live_) {
            fmt::print("\x1b[?1049h\x1b[?25l");
        }
    }
    ~Terminal() {
        if (live_) {
            fmt::print("\x1b[?25h\x1b[?1049l");
        }
        std::fflush(stdout);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    // A screen in a terminal; elsewhere a line for each change since the last time.
    void show(const Sightings& sightings, const Fleet& fleet) {
        if (live_) {
            winsize size{};
            ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
            fmt::print("{}", screen_text(sightings, fleet, size.ws_row > 0 ? size.ws_row : 24));
        } else {
            for (const auto& change : sightings.changes()) {
                if (change.at_ns > shown_ns_) {
                    fmt::print("{}\n", change_text(change));
                    shown_ns_ = change.at_ns;
                }
            }
        }
        std::fflush(stdout);
    }

private:
    bool live_;
    std::uint64_t shown_ns_ = 0;
};

int run_live(Fleet& fleet, Sightings& sightings, const UpOptions& options,
             const sigset_t& end_signals) {
    Terminal terminal(::isatty(STDOUT_FILENO) == 1);
    std::mt19937 random(std::random_device{}());
    Provider* down = nullptr;
    constexpr unsigned kFrameMs = 100;
    constexpr timespec kFrame{.tv_sec = 0, .tv_nsec = kFrameMs * 1'000'000L};
    for (unsigned since_ms = 0;; since_ms += kFrameMs) {
        terminal.show(sightings, fleet);
        if (::sigtimedwait(&end_signals, nullptr, &kFrame) > 0) {
            return 0;
        }
        if (!fleet.registry_runs()) {
            return complain("the registry ended");
        }
        if (since_ms < options.every_ms) {
            continue;
        }
        since_ms = 0;
        if (down != nullptr) {
            sightings.expect(down->name, muster_now_ns());
            fleet.start(*down);
            down = nullptr;
        } else {
            down = &fleet.providers()[random() % fleet.providers().size()];
            sightings.expect(down->name, muster_now_ns());
            Fleet::kill(*down);
        }
    }
}

int run(const UpOptions& options) {
    // Taken by the main loop; blocked before the first thread.
    sigset_t end_signals;
    sigemptyset(&end_signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        sigaddset(&end_signals, signal);
    }
    ::sigprocmask(SIG_BLOCK, &end_signals, nullptr);
    if (options.once) {
        ::sigprocmask(SIG_UNBLOCK, &end_signals, nullptr);  // ends us, and so all we started
        ::signal(SIGALRM, [](int) {
            constexpr std::string_view kWhat = "muster-up: not done within 30 s\n";
            static_cast<void>(!::write(STDERR_FILENO, kWhat.data(), kWhat.size()));
            ::_exit(1);
        });
        ::alarm(30);
    }

    const TemporaryFolder folder;
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    static Sightings sightings;  // outlives the client's callbacks, however main() ends
    Fleet fleet(self.parent_path().string(), folder.path());
    if (const auto problem = fleet.start_registry(options.ports)) {
        return complain(*problem);
    }
    auto client = sdk::Client::open({.servers = fleet.registry(), .zone = "a", .app = "muster-up"});
    if (!client) {
        return complain(client.error().to_string());
    }
    if (auto subscribed = subscribe_all(*client, sightings); !subscribed) {
        return complain(subscribed.error().to_string());
    }
    for (auto& provider : fleet.providers()) {
        sightings.expect(provider.name, muster_now_ns());
        fleet.start(provider);
    }
    int status = await_all(fleet, sightings) ? 0 : 1;
    if (status == 0) {
        status = options.once ? run_once(fleet, sightings)
                              : run_live(fleet, sightings, options, end_signals);
    }
    if (auto closed = client->close(); !closed) {
        return complain(closed.error().to_string());
    }
    return status;
}

}  // namespace
}  // namespace muster::demo

int main(int argc, char** argv) {
    muster::demo::UpOptions options;
    CLI::App app("Starts a registry and a small fleet and shows who is where");
    app.add_flag("--once", options.once,
                 "Without a terminal: show the lists, kill one provider, start it again, end");
    app.add_option("--bolt-port", options.ports.bolt, "Port for clients; 0 takes a free one")
        ->capture_default_str();
    app.add_option("--http-port", options.ports.http, "HTTP port; 0 takes a free one")
        ->capture_default_str();
    app.add_option("--every", options.every_ms, "Milliseconds between two kills or starts")
        ->check(CLI::Range(200, 3'600'000))
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    return muster::demo::run(options);
}
