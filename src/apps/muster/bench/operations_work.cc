#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "apps/load/machine.h"
#include "apps/muster/bench/figures.h"
#include "apps/muster/bench/paced.h"
#include "apps/muster/bench/shared_services.h"
#include "apps/muster/bench/works.h"

namespace muster::cli::bench {
namespace {

// After the last change, until it counts as not told.
constexpr Duration kTellingPatience = std::chrono::seconds(30);
// An open loop that is behind reads for so long after so many it sent.
constexpr std::uint64_t kSentBetweenReads = 32;
constexpr Duration kReading = std::chrono::microseconds(50);

// One of the four as it is measured: so many in all, begun by clients one by one.
struct Verb {
    std::string metric;  // "register"
    const char* what;    // "registering"
    std::uint64_t total = 0;
    Duration time_max{};  // zero: all of them, whatever time they take
    // Begins the client's next one, which was due then; false: it has none left.
    std::function<bool(std::size_t client, Duration due)> begin_next;
};

class Operations {
public:
    Operations(Run& run, const OperationsSize& size)
        : run_(run),
          size_(size),
          shared_{.services = size.services, .instances = size.instances},
          mine_(size.clients),
          watched_of_(size.clients),
          next_(size.clients) {}

    Result<void> go() {
        MUSTER_TRY(prepare());
        listen();
        run_.begin();
        auto outcome = all_verbs();
        run_.end();
        run_.audience().on_change({});
        run_.registrants().on_answer({});
        run_.on_list({});
        tell();
        return outcome;
    }

private:
    struct Measured {
        load::Latencies took;
        double rate = 0;
    };
    // What is told, in the order in which it is told.
    struct Row {
        std::string metric;
        Measured closed;
        Measured open;
    };

    // The clients come first, by number; those that are watched are dealt out evenly, then the
    // others.
    Result<void> prepare() {
        MUSTER_TRY(run_.connect(size_.clients + size_.subscribers));
        const auto watched =
            subscribe_to_every_tenth(run_, shared_, size_.clients, size_.subscribers);
        if (!watched) {
            return std::unexpected(watched.error());
        }
        watched_ = *watched;
        std::size_t client = 0;
        for (const bool turn : {true, false}) {
            for (std::uint64_t instance = 0; instance < size_.instances; ++instance) {
                if (shared_.is_watched(instance) == turn) {
                    mine_[client].push_back(shared_.name_of(instance));
                    watched_of_[client] += turn ? 1 : 0;
                    client = (client + 1) % size_.clients;
                }
            }
        }
        return {};
    }

    void listen() {
        run_.audience().on_change([this](const Audience::Change& change) { shown(change); });
        run_.registrants().on_answer([this](const Registrants::Answer& answer) {
            if (answered_by_request_) {
                done(answer.conn, answer.took);
            }
        });
        run_.on_list([this](std::size_t conn, std::uint32_t service, Duration at) {
            answered(conn, service, at);
        });
    }

    // Both of register and deregister before the instances stay for the other two.
    Result<void> all_verbs() {
        auto& [registers, query, told, deregister] = rows_;
        MUSTER_TRY(closed(registering(), registers.closed));
        MUSTER_TRY(closed(deregistering(), deregister.closed));
        MUSTER_TRY(open(registering(), registers));
        stay();
        MUSTER_TRY(closed(querying(), query.closed));
        MUSTER_TRY(open(querying(), query));
        MUSTER_TRY(closed(changing(), told.closed));
        MUSTER_TRY(open(changing(), told));
        return open(deregistering(), deregister);
    }

    void stay() {
        for (const auto& names : mine_) {
            for (const EntryName& name : names) {
                run_.audience().stays(name.service, name.entry);
            }
        }
    }

    // Each client has one open.
    Result<void> closed(const Verb& verb, Measured& measured) {
        start(verb);
        const Duration begin = load::now();
        until_ = verb.time_max > Duration{} ? begin + verb.time_max : Duration::max();
        closed_ = true;
        for (std::size_t client = 0; client < size_.clients; ++client) {
            begin_one(client, begin);
        }
        auto outcome = finish(measured, begin);
        closed_ = false;
        return outcome;
    }

    // At half the rate of the closed loop, whether or not earlier ones are answered.
    Result<void> open(const Verb& verb, Row& row) {
        start(verb);
        const Duration begin = load::now();
        const Paced paced(begin, row.closed.rate / 2);
        const std::uint64_t total =
            verb.time_max > Duration{} ? paced.within(verb.time_max, verb.total) : verb.total;
        const Phase sending{
            .what = verb.what, .so_far = [this] { return begun_; }, .total = verb.total};
        for (std::uint64_t number = 0; number < total; ++number) {
            const Duration due = paced.due(number);
            const Duration now = load::now();
            if (due > now) {
                MUSTER_TRY(run_.pass_until(sending, due));
            } else if (number % kSentBetweenReads == 0) {
                MUSTER_TRY(run_.pass_until(sending, now + kReading));
            }
            if (!begin_any(due)) {
                break;
            }
        }
        return finish(row.open, begin);
    }

    void start(const Verb& verb) {
        verb_ = verb;
        answered_by_request_ = verb.metric.ends_with("register");
        std::ranges::fill(next_, 0);
        turn_ = 0;
        begun_ = 0;
        done_ = 0;
        took_ = {};
    }

    // All that are begun are awaited, what they tell, too; then counts them.
    Result<void> finish(Measured& measured, Duration begin) {
        const Phase phase{.what = verb_.what,
                          .so_far = [this] { return done_ == begun_ ? verb_.total : done_; },
                          .total = verb_.total};
        Result<void> outcome;
        if (verb_.metric == "told") {
            const auto told = run_.try_await(phase, verb_.time_max + kTellingPatience);
            if (!told) {
                outcome = std::unexpected(told.error());
            } else {
                run_.report().not_told += begun_ - done_;
            }
        } else {
            outcome = run_.await(phase);
        }
        measured = {.took = took_, .rate = per_second(done_, load::now() - begin)};
        on_their_way_.clear();
        return outcome ? settle() : outcome;
    }

    // Answers and lists that are still on their way do not belong to the next one.
    Result<void> settle() {
        MUSTER_TRY(run_.await(
            {.what = "answering",
             .so_far = [this] { return run_.registrants().open_requests() == 0 ? 1U : 0U; },
             .total = 1}));
        if (!answered_by_request_) {
            return {};
        }
        const std::uint64_t wanted = verb_.metric == "register" ? watched_ : 0;
        const auto all = run_.try_await(
            {.what = "telling", .so_far = [&] { return present_ == wanted ? 1U : 0U; }, .total = 1},
            kTellingPatience);
        if (!all) {
            return std::unexpected(all.error());
        }
        run_.report().not_told += std::max(present_, wanted) - std::min(present_, wanted);
        return {};
    }

    bool begin_one(std::size_t client, Duration due) {
        if (begun_ == verb_.total || !verb_.begin_next(client, due)) {
            return false;
        }
        ++begun_;
        return true;
    }

    // By the next client that has one left.
    bool begin_any(Duration due) {
        for (std::size_t tried = 0; tried < size_.clients; ++tried) {
            const std::size_t client = turn_;
            turn_ = (turn_ + 1) % size_.clients;
            if (begin_one(client, due)) {
                return true;
            }
        }
        return false;
    }

    void done(std::size_t client, Duration took) {
        took_.add(took);
        ++done_;
        const Duration now = load::now();
        if (closed_ && now < until_) {
            begin_one(client, now);
        }
    }

    Verb registering() {
        return {.metric = "register",
                .what = "registering",
                .total = size_.instances,
                .begin_next = [this](std::size_t client, Duration due) {
                    const EntryName* name = next_of(client);
                    if (name != nullptr) {
                        run_.registrants().say(client, std::array{*name}, due);
                    }
                    return name != nullptr;
                }};
    }

    Verb deregistering() {
        return {.metric = "deregister",
                .what = "deregistering",
                .total = size_.instances,
                .begin_next = [this](std::size_t client, Duration due) {
                    const EntryName* name = next_of(client);
                    if (name != nullptr) {
                        run_.audience().let_go(name->service, name->entry);
                        run_.registrants().leave(client, std::array{*name}, due);
                    }
                    return name != nullptr;
                }};
    }

    const EntryName* next_of(std::size_t client) {
        return next_[client] < mine_[client].size() ? &mine_[client][next_[client]++] : nullptr;
    }

    // Each client asks for one service after the other: subscribed to until its list comes.
    Verb querying() {
        return {.metric = "query",
                .what = "asking",
                .total = size_.instances,
                .time_max = std::chrono::seconds(size_.seconds),
                .begin_next = [this](std::size_t client, Duration due) {
                    const auto service =
                        static_cast<std::uint32_t>((client + next_[client]++) % size_.services);
                    auto& asked = asked_[key(client, service)];
                    asked.push_back(due);
                    if (asked.size() == 1) {
                        ask(client, service);
                    }
                    return true;
                }};
    }

    void ask(std::size_t client, std::uint32_t service) {
        const Run::Wish wish{.service = service, .entries = shared_.entries_of(service)};
        run_.subscribe(client, std::array{wish});
    }

    void answered(std::size_t conn, std::uint32_t service, Duration at) {
        const auto found = asked_.find(key(conn, service));
        if (conn >= size_.clients || found == asked_.end()) {
            return;
        }
        auto& asked = found->second;
        const Duration due = asked.front();
        asked.pop_front();
        run_.unsubscribe(conn, service);
        if (asked.empty()) {
            asked_.erase(found);
        } else {
            ask(conn, service);
        }
        done(conn, at - due);
    }

    // Changes of instances that somebody subscribed to, until that is told.
    Verb changing() {
        return {
            .metric = "told",
            .what = "changing and telling",
            .total = size_.instances,
            .time_max = std::chrono::seconds(size_.seconds),
            .begin_next = [this](std::size_t client, Duration due) {
                if (watched_of_[client] == 0) {
                    return false;
                }
                const EntryName& name = mine_[client][next_[client]++ % watched_of_[client]];
                run_.registrants().say(client, std::array{name}, due);
                on_their_way_[key(name.service, name.entry)].push_back(
                    {.client = client, .version = run_.registrants().version_of(name), .due = due});
                return true;
            }};
    }

    void shown(const Audience::Change& change) {
        if (change.conn < size_.clients) {
            return;  // the list of a query
        }
        present_ += change.from == 0 ? 1 : 0;
        present_ -= change.to == 0 ? 1 : 0;
        const auto found = on_their_way_.find(key(change.service, change.entry));
        if (found == on_their_way_.end()) {
            return;
        }
        std::vector<OnItsWay> arrived;
        auto& way = found->second;
        while (!way.empty() && way.front().version <= change.to) {
            arrived.push_back(way.front());
            way.pop_front();
        }
        for (const OnItsWay& one : arrived) {  // may begin more
            done(one.client, change.at - one.due);
        }
    }

    void tell() {
        auto& figures = run_.report().figures;
        for (const Row& row : rows_) {
            const std::string what = words_of(row.metric);
            figures.push_back(time_figure(row.metric + "_closed_loop",
                                          what + ", each client one at a time", row.closed.took));
            figures.push_back(time_figure(row.metric + "_at_half_rate",
                                          what + ", at half that rate", row.open.took));
        }
        for (const Row& row : rows_) {
            const std::string what = words_of(row.metric);
            figures.push_back(value_figure(row.metric + "_peak_per_second",
                                           what + ", each client one at a time", row.closed.rate,
                                           "a second"));
            figures.push_back(value_figure(row.metric + "_half_per_second",
                                           what + ", at half that rate", row.open.rate,
                                           "a second"));
        }
    }

    static std::string words_of(const std::string& metric) {
        return metric == "told" ? "change to its subscriber" : metric;
    }

    static std::uint64_t key(std::uint64_t high, std::uint32_t low) {
        return high << 32U | low;
    }

    struct OnItsWay {
        std::size_t client = 0;
        std::uint32_t version = 0;
        Duration due{};
    };

    Run& run_;
    OperationsSize size_;
    SharedServices shared_;
    std::vector<std::vector<EntryName>> mine_;  // by client, those first that are watched
    std::vector<std::uint64_t> watched_of_;     // by client
    std::vector<std::uint64_t> next_;           // by client, of the verb
    std::uint64_t watched_ = 0;
    std::uint64_t present_ = 0;  // that subscribers are shown

    std::array<Row, 4> rows_{{{.metric = "register"},
                              {.metric = "query"},
                              {.metric = "told"},
                              {.metric = "deregister"}}};
    Verb verb_;
    bool closed_ = false;
    bool answered_by_request_ = false;
    Duration until_{};  // a closed loop begins no more from then on
    std::size_t turn_ = 0;
    std::uint64_t begun_ = 0;
    std::uint64_t done_ = 0;
    load::Latencies took_;
    std::unordered_map<std::uint64_t, std::deque<Duration>> asked_;         // by client and service
    std::unordered_map<std::uint64_t, std::deque<OnItsWay>> on_their_way_;  // by entry
};

}  // namespace

Result<void> run_operations(Run& run, const OperationsSize& size) {
    return Operations(run, size).go();
}

}  // namespace muster::cli::bench
