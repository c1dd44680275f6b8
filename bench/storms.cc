#include "storms.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <unistd.h>

#include "apps/load/metrics_text.h"
#include "base/check.h"
#include "client_frames.h"
#include "crowd.h"
#include "process.h"
#include "server_process.h"
#include "sockets.h"

namespace muster::bench {
namespace {

namespace json = boost::json;

Figure value(const std::string& bench, const std::string& metric, const std::string& unit,
             double is) {
    return {.bench = bench, .metric = metric, .unit = unit, .value = is};
}

Figure at_most(Figure figure, double limit, const Effort& effort) {
    if (effort.judge) {
        figure.bound = Bound{.kind = Bound::Kind::at_most, .limit = limit};
    }
    return figure;
}

// What no storm may bring about in the server.
void add_queues(Report& report, const Effort& effort, const std::string& bench,
                const ServerProcess& server) {
    const std::string text = server.metrics();
    for (const char* name :
         {"muster_net_over_queue_limit_total", "muster_bus_dropped_total",
          "muster_data_messages_dropped_total", "muster_data_streams_ended_total"}) {
        const auto counted = load::metric(text, name, {});
        if (!counted) {
            die("/metrics has no " + std::string(name));
        }
        report.add(at_most(value(bench, name, "", *counted), 0, effort));
    }
    report.add(
        value(bench, "server_peak_rss", "MB", static_cast<double>(server.peak_rss_bytes()) / 1e6));
    report.add(value(bench, "server_cpu", "s", server.cpu_seconds()));
}

json::object last_object_of(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    std::string last;
    std::string all;
    while (std::getline(in, line)) {
        all += line + "\n";
        if (line.starts_with("{")) {
            last = line;
        }
    }
    if (last.empty()) {
        die("muster bench printed no figures: " + all);
    }
    return json::parse(last).as_object();
}

// One work of `muster bench`, with these options, against a server of its own.
void run_work(Report& report, const Effort& effort, const std::string& work,
              const std::vector<std::string>& options) {
    const ServerProcess server;
    const TempFolder folder;
    std::vector<std::string> arguments{"bench",  work,
                                       "-s",     "127.0.0.1:" + std::to_string(server.bolt_port()),
                                       "--http", "127.0.0.1:" + std::to_string(server.http_port()),
                                       "-o",     "json"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const std::string said = folder.path() + "/said";
    const int status = run_command(arguments, said);
    const json::object told = last_object_of(said);
    const std::string bench = "storm_" + work;
    for (const json::value& one : told.at("figures").as_array()) {
        const json::object& figure = one.as_object();
        const std::string metric{figure.at("metric").as_string()};
        const std::string unit{figure.at("unit").as_string()};
        if (figure.contains("value")) {
            report.add(value(bench, metric, unit, figure.at("value").to_number<double>()));
            continue;
        }
        for (const char* at : {"p50", "p99", "max"}) {
            report.add(value(bench, metric + "_" + at, unit, figure.at(at).to_number<double>()));
        }
    }
    for (const char* what :
         {"false_removals", "versions_backward", "not_told", "refused", "left_behind"}) {
        report.add(at_most(value(bench, what, "", told.at(what).to_number<double>()), 0, effort));
    }
    report.add(at_most(value(bench, "exit_status", "", status), 0, effort));
    add_queues(report, effort, bench, server);
}

// One instance that leaves and comes back as fast as it is answered, and stays in the end.
class Flapper {
public:
    Flapper(std::uint16_t port, std::size_t subscribers)
        : crowd_(port, subscribers), publisher_(port) {
        come();
        for (std::size_t i = 0; i < crowd_.size(); ++i) {
            crowd_.at(i).send(native_subscribe(*service_, "subscriber-" + std::to_string(i)));
        }
        read_until_shown();
    }

    void flap() {
        leave();
        come();
    }

    // From the last coming until all were shown that it is there, in seconds.
    double stay() {
        const Duration begin = now();
        read_until_shown();
        return static_cast<double>((now() - begin).count()) / 1e9;
    }

    [[nodiscard]] double pushes_to_each() const {
        return static_cast<double>(pushes_) / static_cast<double>(crowd_.size());
    }

private:
    void come() {
        ++version_;
        msg::RegisterPublishers request{.request =
                                            msg::RequestId(static_cast<std::uint64_t>(version_))};
        request.publications.push_back(publication(*service_, kId, version_, box()));
        publisher_.send(native_frame(request));
        CHECK(taken_of(publisher_.next_frame()) == 1);
    }

    void leave() {
        ++version_;
        msg::UnregisterPublishers request{
            .request = msg::RequestId(static_cast<std::uint64_t>(version_)), .items = {}};
        request.items.push_back({.id = RegistId(kId),
                                 .service = service_,
                                 .order = {.version = version_, .timestamp_ms = load::wall_ms()}});
        publisher_.send(native_frame(request));
        CHECK(taken_of(publisher_.next_frame()) == 1);
    }

    [[nodiscard]] std::string box() const {
        return "127.0.0.1:12200?version=" + std::to_string(version_);
    }

    // Until each was shown its newest state. What was shown before is read, and acknowledged, too.
    void read_until_shown() {
        crowd_.read_until(crowd_.size(), [&](std::size_t i, const bolt::Frame& frame) {
            if (!is_push(frame)) {
                return false;
            }
            const msg::Push told = native_push(frame);
            crowd_.at(i).send(native_ack(told));
            ++pushes_;
            const auto& shown =
                told.delta != nullptr ? told.delta->upserts : told.view->publications;
            return !shown.empty() && shown.front()->boxes.front() == box();
        });
    }

    static constexpr const char* kId = "flapper";
    const ServicePtr service_ = interned({.data_id = "com.example.bench.Flapping"});
    Crowd crowd_;
    Connection publisher_;
    std::int64_t version_ = 0;
    std::size_t pushes_ = 0;
};

void run_flapping(Report& report, const Effort& effort) {
    constexpr double kFlips = 10;  // the default, here for what is expected of it
    const ServerProcess server({"session.flap_damping.flips=10", "session.flap_damping.hold=2s"});
    Flapper flapper(server.bolt_port(), effort.storm_subscribers);
    for (std::size_t i = 0; i < effort.storm_flaps; ++i) {
        flapper.flap();
    }
    const std::string bench = "storm_flapping";
    report.add(value(bench, "damped_meanwhile", "",
                     metric(server.metrics(), "muster_session_damped_publications")));
    report.add(value(bench, "stayed_until_shown_to_all", "s", flapper.stay()));
    report.add(value(bench, "flaps", "", static_cast<double>(effort.storm_flaps)));
    // Shown and gone at each of the first; gone once more; shown in the end, and before.
    report.add(at_most(value(bench, "pushes_to_each", "", flapper.pushes_to_each()), 2 * kFlips + 3,
                       effort));
    add_queues(report, effort, bench, server);
}

}  // namespace

void run_storms(Report& report, const Effort& effort) {
    const auto text = [](std::size_t count) { return std::to_string(count); };
    run_work(
        report, effort, "storm",
        {"--clients", text(effort.storm_clients), "--services", text(effort.storm_clients / 10)});
    run_work(report, effort, "rolling",
             {"--instances", text(effort.storm_instances), "--subscribers",
              text(effort.storm_subscribers), "--step", text(effort.storm_step)});
    run_work(report, effort, "disconnect",
             {"--clients", text(effort.storm_clients), "--services",
              text(effort.storm_clients / 10), "--subscribers", "10", "--share", "10"});
    run_flapping(report, effort);
}

}  // namespace muster::bench
