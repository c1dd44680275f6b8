#include "peers/muster_register.h"

#include <algorithm>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "client_frames.h"
#include "crowd.h"
#include "process.h"

namespace muster::bench {
namespace {

constexpr std::size_t kPerService = 10;

// One batch, as a client would make it when it is due.
std::string batch_frame(const RegisterOptions& options, std::size_t first, std::size_t count) {
    msg::RegisterPublishers request{.request = msg::RequestId(first + 1)};
    for (std::size_t number = first; number < first + count; ++number) {
        std::string entry = fmt::format("10.1.{}.{}:12200?weight=50&number={}&", number / 250 % 250,
                                        number % 250, number);
        entry.resize(std::max(entry.size(), options.entry_bytes), 'x');
        request.publications.push_back(publication(
            {.data_id = fmt::format("com.example.bench.Service{}", number / kPerService)},
            fmt::format("6fa459ea-ee8a-3ca4-894e-{:012}", number), 1, entry));
    }
    return native_frame(request);
}

class Registrars {
public:
    explicit Registrars(const RegisterOptions& options)
        : options_(options),
          crowd_(options.port, options.connections),
          sent_at_(options.connections) {}

    void run() {
        const std::size_t batches = (options_.registrations + options_.batch - 1) / options_.batch;
        const Duration begin = now();
        for (std::size_t i = 0; i < crowd_.size(); ++i) {
            send_next(i);
        }
        std::vector<std::int64_t> took;
        std::size_t done = 0;
        crowd_.read_until(batches, [&](std::size_t i, const bolt::Frame& frame) {
            if (!frame.head.is_response()) {
                return false;
            }
            took.push_back((now() - sent_at_[i]).count());
            done += taken_of(frame);
            send_next(i);
            return true;
        });
        fmt::print("{{\"begin\":{},\"end\":{},\"registered\":{},\"batch_ns\":[{}]}}\n",
                   begin.count(), now().count(), done, fmt::join(took, ","));
        std::fflush(stdout);
    }

private:
    void send_next(std::size_t i) {
        const std::size_t count = std::min(options_.batch, end_ - next_);
        if (count == 0) {
            return;
        }
        const std::string frame = batch_frame(options_, next_, count);
        next_ += count;
        sent_at_[i] = now();
        crowd_.at(i).send(frame);
    }

    RegisterOptions options_;
    Crowd crowd_;
    std::vector<Duration> sent_at_;
    std::size_t next_ = options_.first;
    std::size_t end_ = options_.first + options_.registrations;
};

}  // namespace

void register_all(const RegisterOptions& options) {
    Registrars registrars(options);
    fmt::print("{{\"prepared\":true}}\n");
    std::fflush(stdout);
    std::string line;
    while (std::getline(std::cin, line)) {
        if (line != "go") {
            die("unknown command: " + line);
        }
        registrars.run();
    }
}

}  // namespace muster::bench
