#include "peers/muster_tell.h"

#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "client_frames.h"
#include "crowd.h"
#include "process.h"

namespace muster::bench {
namespace {

const Service kService{.data_id = "com.example.bench.Told"};
const std::string kJoiner = "joiner";

// What a subscriber holds, by id.
using List = std::map<std::string, PublicationPtr>;

void fold(List& list, const msg::Push& push) {
    if (push.delta == nullptr) {
        list.clear();
        for (const auto& entry : push.view->publications) {
            list[std::string(entry->id.raw())] = entry;
        }
        return;
    }
    for (const auto& entry : push.delta->upserts) {
        list[std::string(entry->id.raw())] = entry;
    }
    for (const auto& id : push.delta->removals) {
        list.erase(std::string(id.raw()));
    }
}

class Tell {
public:
    explicit Tell(const TellOptions& options)
        : options_(options), publisher_(options.port), crowd_(options.port, 0) {}

    void prepare() {
        msg::RegisterPublishers request{.request = next_request()};
        for (std::size_t i = 0; i < options_.entries; ++i) {
            request.publications.push_back(publication(kService, entry_id(i), 1, entry(i)));
        }
        publisher_.send(native_frame(request));
        CHECK(publisher_.next_frame().head.is_response());
        fmt::print("{{\"prepared\":true}}\n");
    }

    void watch(std::size_t count) {
        const std::size_t before = crowd_.size();
        crowd_.grow(count);
        lists_.resize(count);
        for (std::size_t i = before; i < count; ++i) {
            crowd_.at(i).send(native_subscribe(kService, fmt::format("watcher-{}", i)));
        }
        std::vector<std::int64_t> ignored;
        read_lists(count - before, ignored);
        fmt::print("{{\"watching\":{}}}\n", count);
    }

    // Odd changes join one to the list, even ones take it out again.
    void change(std::size_t number) {
        const bool joins = number % 2 == 1;
        wanted_ = options_.entries + (joins ? 1 : 0);
        const PublicationPtr joiner =
            publication(kService, kJoiner, static_cast<std::int64_t>(number), entry(number));
        msg::RegisterPublishers join{.request = next_request(), .publications = {joiner}};
        msg::UnregisterPublishers leave{
            .request = join.request,
            .items = {{.id = joiner->id, .service = joiner->service, .order = joiner->order}}};
        const std::string frame = joins ? native_frame(join) : native_frame(leave);
        begin_.push_back(now().count());
        publisher_.send(frame);
        read_lists(crowd_.size(), told_at_.emplace_back());
        CHECK(publisher_.next_frame().head.is_response());
        fmt::print("{{\"told\":{}}}\n", number);
    }

    void times() {
        fmt::print("{{\"begin\":[{}],\"told_at\":[", fmt::join(begin_, ","));
        for (std::size_t i = 0; i < told_at_.size(); ++i) {
            fmt::print("{}[{}]", i == 0 ? "" : ",", fmt::join(told_at_[i], ","));
        }
        fmt::print("]}}\n");
        begin_.clear();
        told_at_.clear();
    }

private:
    msg::RequestId next_request() {
        return msg::RequestId(++requests_);
    }
    [[nodiscard]] static std::string entry_id(std::size_t i) {
        return fmt::format("6fa459ea-ee8a-3ca4-894e-{:012}", i);
    }
    [[nodiscard]] std::string entry(std::size_t i) const {
        std::string text = fmt::format("10.1.{}.{}:12200?version={}&", i / 250 % 250, i % 250, i);
        text.resize(std::max(text.size(), options_.entry_bytes), 'x');
        return text;
    }

    // Until so many more hold the list that is wanted; when each of them did.
    void read_lists(std::size_t count, std::vector<std::int64_t>& told_at) {
        told_at.reserve(count);
        crowd_.read_until(count, [&](std::size_t i, const bolt::Frame& frame) {
            if (!is_push(frame)) {
                return false;
            }
            const msg::Push push = native_push(frame);
            fold(lists_[i], push);
            const bool told = lists_[i].size() == wanted_;
            if (told) {
                told_at.push_back(now().count());
            }
            crowd_.at(i).send(native_ack(push));
            return told;
        });
    }

    TellOptions options_;
    Connection publisher_;
    Crowd crowd_;
    std::vector<List> lists_;
    std::size_t wanted_ = options_.entries;
    std::uint64_t requests_ = 0;
    std::vector<std::int64_t> begin_;  // ns of a clock that all processes share
    std::vector<std::vector<std::int64_t>> told_at_;
};

}  // namespace

void tell(const TellOptions& options) {
    Tell load(options);
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string verb;
        std::size_t number = 0;
        words >> verb >> number;
        if (verb == "prepare") {
            load.prepare();
        } else if (verb == "watch") {
            load.watch(number);
        } else if (verb == "change") {
            load.change(number);
        } else if (verb == "times") {
            load.times();
        } else {
            die("unknown command: " + line);
        }
        std::fflush(stdout);
    }
}

}  // namespace muster::bench
