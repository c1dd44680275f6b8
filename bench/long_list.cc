#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "client_frames.h"
#include "push.h"
#include "server_process.h"
#include "sockets.h"

namespace muster::bench {
namespace {

constexpr std::size_t kConnections = 50;
const Service kService{.data_id = "com.example.bench.LongList"};

// Instances of one service, over many connections, and one who is shown them.
class LongList {
public:
    LongList(std::uint16_t port, std::size_t instances) : instances_(instances), subscriber_(port) {
        for (std::size_t i = 0; i < kConnections; ++i) {
            publishers_.push_back(std::make_unique<Connection>(port));
        }
        say(instances);
    }

    // The first list, whole.
    std::uint64_t subscribe() {
        subscriber_.send(native_subscribe(kService, "subscriber"));
        return bytes_until(instances_);
    }
    // So many instances say something new at once.
    std::uint64_t change(std::size_t count) {
        ++version_;
        say(count);
        return bytes_until(count);
    }

private:
    // Instance n of the newest version.
    [[nodiscard]] std::string id_of(std::size_t n) const {
        return fmt::format("6fa459ea-ee8a-3ca4-894e-{:012}", n);
    }

    void say(std::size_t count) {
        std::vector<msg::RegisterPublishers> requests(kConnections);
        for (std::size_t n = 0; n < count; ++n) {
            requests[n % kConnections].publications.push_back(
                publication(kService, id_of(n), version_,
                            fmt::format("10.1.{}.{}:12200?weight={}&zone=eu-1a&m.release=2026.11",
                                        n / 250, n % 250, version_)));
        }
        for (std::size_t i = 0; i < kConnections; ++i) {
            if (!requests[i].publications.empty()) {
                requests[i].request = msg::RequestId(static_cast<std::uint64_t>(version_));
                publishers_[i]->send(native_frame(requests[i]));
            }
        }
        for (std::size_t i = 0; i < kConnections; ++i) {
            if (!requests[i].publications.empty()) {
                CHECK(taken_of(publishers_[i]->next_frame()) == requests[i].publications.size());
            }
        }
    }

    // Read until `count` instances of the newest version were shown.
    std::uint64_t bytes_until(std::size_t count) {
        const std::uint64_t before = subscriber_.bytes_read();
        std::set<std::string> seen;
        while (seen.size() < count) {
            const bolt::Frame frame = subscriber_.next_frame();
            if (!is_push(frame)) {
                continue;
            }
            const msg::Push told = native_push(frame);
            subscriber_.send(native_ack(told));
            for (const auto& shown :
                 told.delta != nullptr ? told.delta->upserts : told.view->publications) {
                if (shown->order.version == version_) {
                    seen.insert(shown->id.raw());
                }
            }
        }
        return subscriber_.bytes_read() - before;
    }

    std::size_t instances_;
    std::int64_t version_ = 100;
    std::vector<std::unique_ptr<Connection>> publishers_;
    Connection subscriber_;
};

struct Sizes {
    double whole = 0;
    Spread one;
    Spread step;  // one in twenty
};

Sizes sizes_of(const Effort& effort, const ServerProcess& server) {
    LongList list(server.bolt_port(), effort.long_list);
    Sizes sizes{.whole = static_cast<double>(list.subscribe())};
    std::vector<double> one;
    std::vector<double> step;
    for (std::size_t i = 0; i < effort.long_list_rounds; ++i) {
        one.push_back(static_cast<double>(list.change(1)));
        step.push_back(static_cast<double>(list.change(effort.long_list / 20)));
    }
    sizes.one = spread_of(one);
    sizes.step = spread_of(step);
    return sizes;
}

}  // namespace

void run_long_list(Report& report, const Effort& effort) {
    const auto bound = [&](double limit) {
        return effort.judge ? std::optional(Bound{Bound::Kind::at_most, limit}) : std::nullopt;
    };
    const std::string bench = fmt::format("list_of_{}", effort.long_list);
    const Sizes plain = sizes_of(effort, ServerProcess({"session.pushes_packed_above=0B"}));
    report.add({.bench = bench, .metric = "whole_list", .unit = "B", .value = plain.whole});
    report.add({.bench = bench,
                .metric = "one_changed",
                .unit = "B",
                .spread = plain.one,
                .bound = bound(1024),
                .bound_on_p99 = true});
    report.add(
        {.bench = bench, .metric = "one_in_twenty_changed", .unit = "B", .spread = plain.step});
    report.add({.bench = bench,
                .metric = "one_in_twenty_over_whole",
                .unit = "x",
                .value = plain.step.max / plain.whole,
                .bound = bound(0.1)});
    const Sizes packed = sizes_of(effort, ServerProcess());
    report.add({.bench = bench, .metric = "whole_list_packed", .unit = "B", .value = packed.whole});
    report.add({.bench = bench,
                .metric = "one_in_twenty_changed_packed",
                .unit = "B",
                .spread = packed.step});
}

}  // namespace muster::bench
