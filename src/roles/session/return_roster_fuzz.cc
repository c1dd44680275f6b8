// The return roster: arbitrary bytes as a file, and stories of coming, leaving and killing, after
// which nobody whom others may know of is missing from a roster that calls itself exact.
//
// The first byte chooses: 0 the rest is a file, else a story of one byte a step.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"
#include "env/manual_time.h"
#include "env/memory_disk.h"
#include "roles/session/return_roster.h"

namespace muster::session {
namespace {

void read_file(std::string_view bytes) {
    const auto scan = decode_roster(bytes);
    if (!scan) {
        return;
    }
    CHECK(encode_roster_header(scan->header) == bytes.substr(0, kRosterHeaderBytes));
    std::string again = encode_roster_header(scan->header);
    append_roster_changes(again, scan->header, scan->names, {});
    append_roster_seal(again, scan->header, scan->names.size());
    const auto same = decode_roster(again);
    CHECK(same && same->names == scan->names && same->sealed);
}

class Story final : env::TimerTarget, env::DiskTarget {
public:
    void run(std::string_view steps) {
        timers_.attach(*this);
        start();
        for (const char c : steps.substr(0, 500)) {
            step(static_cast<std::uint8_t>(c));
            turn();
        }
    }

private:
    using Ids = std::set<std::size_t>;

    static RegistId id_of(std::size_t number) {
        return RegistId("id-" + std::to_string(number));
    }
    void on_timer(env::TimerKey) override {
        roster_->on_timer();
    }
    void on_disk(env::DiskOpId op, const Result<void>& outcome) override {
        roster_->on_disk(op, outcome);
        turn();
    }
    void turn() {
        roster_->flush(clock_.mono());
        if (!roster_->holds(clock_.mono())) {
            known_.insert(held_.begin(), held_.end());
        }
    }

    void start() {
        disk_.attach(*this);
        ++life_;
        roster_.emplace(
            ReturnRosterOptions{
                .boot = "boot", .incarnation = Incarnation(life_), .compact_above_bytes = 100},
            ReturnRosterEnv{
                .disk = &disk_, .timers = timers_, .timer = env::TimerKey(1), .log = {}});
        roster_->begin();
        cold_ = true;
        if (roster_->exact()) {
            for (const std::size_t number : known_) {
                CHECK(roster_->awaits(id_of(number)));
            }
        }
    }

    void kill(const env::MemoryDisk::Crash& crash) {
        roster_.reset();
        timers_.cancel(env::TimerKey(1));
        disk_.crash(crash);
        held_.clear();
        start();
    }

    // Who is not back by now is given up.
    void end_cold() {
        cold_ = false;
        std::erase_if(known_, [this](std::size_t number) { return !held_.contains(number); });
        roster_->cold_ended();
    }

    void step(std::uint8_t code) {
        const std::size_t argument = code >> 3U;
        switch (code & 7U) {
            case 0:
            case 1:
                roster_->came(id_of(argument));
                held_.insert(argument);
                break;
            case 2:
                if (held_.erase(argument) > 0) {
                    known_.erase(argument);
                    roster_->left(id_of(argument));
                }
                break;
            case 3: disk_.pump_one(); break;
            case 4: disk_.pump_all(); break;
            case 5:
                clock_.advance(std::chrono::milliseconds(10 * argument));
                timers_.fire_due();
                break;
            case 6:
                if (cold_) {
                    end_cold();
                } else {
                    disk_.fail_next(1, {Errc::io_error, "bad"});
                    disk_.pump_one();
                    disk_.fail_next(0, {});
                    disk_.pump_all();
                }
                break;
            default: kill({.operations = argument % 2, .torn_bytes = argument}); break;
        }
    }

    env::ManualClock clock_;
    env::ManualTimers timers_{clock_};
    env::MemoryDisk disk_;
    std::optional<ReturnRoster> roster_;
    std::uint64_t life_ = 0;
    bool cold_ = true;
    Ids held_;   // by this life
    Ids known_;  // others may know of them
};

}  // namespace
}  // namespace muster::session

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) {
        return 0;
    }
    if (input.front() == 0) {
        muster::session::read_file(input.substr(1));
    } else {
        muster::session::Story().run(input.substr(1));
    }
    return 0;
}
