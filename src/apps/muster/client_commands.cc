#include "apps/muster/client_commands.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <muster/muster.hpp>
#include <unistd.h>

#include "apps/muster/report.h"
#include "base/result.h"
#include "env/net.h"
#include "model/service.h"

namespace muster::cli {
namespace {

constexpr sdk::Milliseconds kFirstAnswer{5000};

// Blocks the signals that end a command, for wait_for_signal(); before the SDK starts its thread.
void catch_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
}

// Until one comes or, when `seconds` is positive, so long.
void wait_for_signal(double seconds) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (seconds <= 0) {
        int signal = 0;
        sigwait(&set, &signal);
        return;
    }
    const auto whole = static_cast<std::time_t>(seconds);
    const timespec limit{
        .tv_sec = whole,
        .tv_nsec = static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
    sigtimedwait(&set, nullptr, &limit);
}

int report_sdk(const sdk::Error& error) {
    std::fprintf(stderr, "muster: %s\n", error.to_string().c_str());
    return error.status == MUSTER_INVALID_ARGUMENT ? 2 : 1;
}

// What the first call brought instead of an answer; the usual cause is the wrong address.
int report_silence(const char* what, const ClientOptions& options, const sdk::Error& error) {
    std::fprintf(
        stderr,
        "muster: %s %s: %s. Is a muster server there, and is this its client port (9600 by "
        "default)?\n",
        what, options.servers.c_str(), error.to_string().c_str());
    return 1;
}

sdk::Result<sdk::Client> open_client(const ClientOptions& options, const std::string& app) {
    return sdk::Client::open({.servers = options.servers,
                              .zone = options.zone,
                              .app = app,
                              .services_file = "",
                              .log_level = MUSTER_LOG_ERROR});
}

Result<sdk::EndpointSpec> endpoint_of(const PublishOptions& options) {
    const auto service = parse_service_path(options.service);
    if (!service) {
        return std::unexpected(service.error());
    }
    const auto address = env::parse_socket_address(options.address);
    if (!address) {
        return std::unexpected(address.error());
    }
    sdk::EndpointSpec spec{.service = service->path(),
                           .ip = address->ip,
                           .port = address->port,
                           .weight = options.weight,
                           .app = options.app};
    for (const std::string& pair : options.metadata) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0) {
            return fail(Errc::invalid_argument, "--meta takes key=value, not '" + pair + "'");
        }
        spec.metadata.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    }
    return spec;
}

muster_scope scope_of(const std::string& text) {
    return text == "zone" ? MUSTER_SCOPE_ZONE
                          : (text == "global" ? MUSTER_SCOPE_GLOBAL : MUSTER_SCOPE_DATA_CENTER);
}

std::string time_of_day() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    std::tm local{};
    ::localtime_r(&now.tv_sec, &local);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                       now.tv_nsec / 1'000'000);
}

std::string name_of(const sdk::Endpoint& endpoint) {
    const std::string address = endpoint.address();
    return address.empty() ? std::string(endpoint.box) : address;
}

// Shows lists as they come: whole ones as JSON, differences for people. Called on the SDK's thread.
class ListPrinter {
public:
    ListPrinter(bool as_json, std::uint32_t count) : as_json_(as_json), left_(count) {}

    void show(const sdk::List& list) {
        as_json_ ? show_json(list) : show_changes(list);
        std::fflush(stdout);
        if (left_ > 0 && --left_ == 0) {
            ::kill(::getpid(), SIGTERM);  // wakes wait_for_signal() on the main thread
        }
    }

private:
    static void show_json(const sdk::List& list) {
        boost::json::array instances;
        for (const sdk::Endpoint& endpoint : list.endpoints()) {
            instances.push_back({{"id", endpoint.id},
                                 {"box", endpoint.box},
                                 {"ip", endpoint.ip},
                                 {"port", endpoint.port},
                                 {"weight", endpoint.weight},
                                 {"enabled", endpoint.enabled},
                                 {"zone", endpoint.zone},
                                 {"app", endpoint.app}});
        }
        const boost::json::object object{{"service", list.service()},
                                         {"version", std::to_string(list.version())},
                                         {"complete", list.complete()},
                                         {"instances", instances}};
        std::printf("%s\n", boost::json::serialize(object).c_str());
    }

    void show_changes(const sdk::List& list) {
        std::map<std::string, std::string> now;
        for (const sdk::Endpoint& endpoint : list.endpoints()) {
            now.emplace(endpoint.id,
                        fmt::format("{}  zone={} weight={}{}", name_of(endpoint), endpoint.zone,
                                    endpoint.weight, endpoint.enabled ? "" : " disabled"));
        }
        std::printf("%s  %s  %zu instances%s\n", time_of_day().c_str(),
                    std::string(list.service()).c_str(), list.size(),
                    list.complete() ? "" : " (perhaps more)");
        for (const auto& [id, text] : shown_) {
            if (!now.contains(id)) {
                std::printf("  - %s\n", text.c_str());
            }
        }
        for (const auto& [id, text] : now) {
            const auto before = shown_.find(id);
            if (before == shown_.end()) {
                std::printf("  + %s\n", text.c_str());
            } else if (before->second != text) {
                std::printf("  ~ %s\n", text.c_str());
            }
        }
        shown_ = std::move(now);
    }

    bool as_json_;
    std::uint32_t left_;
    std::map<std::string, std::string> shown_;
};

}  // namespace

int run_publish(const PublishOptions& options) {
    const auto spec = endpoint_of(options);
    if (!spec) {
        return report(spec.error());
    }
    catch_signals();
    auto client = open_client(options.client, options.app);
    if (!client) {
        return report_sdk(client.error());
    }
    auto registration = client->register_endpoint(*spec);
    if (!registration) {
        return report_sdk(registration.error());
    }
    if (const auto answer = registration->await(kFirstAnswer); !answer) {
        return report_silence("not registered at", options.client, answer.error());
    }
    if (options.client.output == "json") {
        std::printf("%s\n",
                    boost::json::serialize(boost::json::object{{"registered", spec->service},
                                                               {"ip", spec->ip},
                                                               {"port", spec->port}})
                        .c_str());
    } else {
        std::printf("%s is registered at %s; Ctrl-C unregisters it\n", options.address.c_str(),
                    spec->service.c_str());
    }
    std::fflush(stdout);
    wait_for_signal(options.seconds);
    const auto closed = client->close(kFirstAnswer);
    return closed ? 0 : report_sdk(closed.error());
}

int run_watch(const WatchOptions& options) {
    const auto service = parse_service_path(options.service);
    if (!service) {
        return report(service.error());
    }
    catch_signals();
    auto client = open_client(options.client, "muster-watch");
    if (!client) {
        return report_sdk(client.error());
    }
    ListPrinter printer(options.client.output == "json", options.count);
    auto subscription =
        client->subscribe({.service = service->path(),
                           .scope = scope_of(options.scope),
                           .zone = options.client.zone,
                           .on_list = [&](const sdk::List& list) { printer.show(list); }});
    if (!subscription) {
        return report_sdk(subscription.error());
    }
    if (const auto first = subscription->await(kFirstAnswer); !first) {
        return report_silence("no list from", options.client, first.error());
    }
    wait_for_signal(0);
    subscription->unsubscribe();
    const auto closed = client->close();
    return closed ? 0 : report_sdk(closed.error());
}

}  // namespace muster::cli
