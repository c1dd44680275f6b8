// The log of the metas: arbitrary bytes as files, and stories of writes, crashes and flipped bits
// that must never cost an acknowledged command unnoticed.
//
// The first byte chooses: 0 the rest is a segment, 1 a snapshot, else a story of one byte a step.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "env/manual_time.h"
#include "env/memory_disk.h"
#include "raft/record_log.h"
#include "raft/single_node.h"

namespace muster::raft {
namespace {

class Lines final : public StateMachine {
public:
    std::string apply(LogIndex /*index*/, std::string_view command) override {
        all.emplace_back(command);
        return {};
    }
    [[nodiscard]] Result<void> readable(std::string_view /*command*/) const override {
        return {};
    }
    [[nodiscard]] std::string snapshot() const override {
        std::string bytes;
        for (const std::string& line : all) {
            bytes += line + '\n';
        }
        return bytes;
    }
    [[nodiscard]] Result<void> restore(std::string_view snapshot) override {
        all.clear();
        for (std::size_t end = 0; (end = snapshot.find('\n')) != std::string_view::npos;) {
            all.emplace_back(snapshot.substr(0, end));
            snapshot.remove_prefix(end + 1);
        }
        return {};
    }

    std::vector<std::string> all;
};

class Acknowledged final : public ConsensusListener {
public:
    void on_applied(Ticket /*ticket*/, LogIndex index, std::string /*result*/) override {
        highest = std::max(highest, index.raw());
    }
    void on_readable(Ticket /*ticket*/, LogIndex /*index*/) override {}
    void on_refused(Ticket /*ticket*/, const Error& /*why*/) override {}
    void on_leadership(bool /*leads*/, Term /*term*/) override {}

    std::uint64_t highest = 0;
};

void read_segment(std::string_view bytes) {
    const auto scan = scan_segment(bytes);
    if (scan) {
        CHECK(encode_segment_header(scan->header) == bytes.substr(0, kSegmentHeaderBytes));
        CHECK(scan->valid_bytes <= bytes.size());
        CHECK(scan->commands.size() == scan->last.raw() + 1 - scan->header.first.raw());
    }
    env::MemoryDisk disk;
    disk.put("meta/" + segment_name(scan ? scan->header.sequence : 1), std::string(bytes));
    const auto log = recover(disk, {.folder = "meta", .allow_truncated_log = true});
    CHECK(log || log.error().code == Errc::refused);
}

void read_snapshot(std::string_view bytes) {
    if (const auto file = decode_snapshot(bytes)) {
        CHECK(encode_snapshot(file->index, file->term, file->payload) == bytes);
    }
}

// One disk and the lives that follow each other on it.
class Story {
public:
    void run(std::string_view steps) {
        CHECK(start());
        for (const char c : steps.substr(0, 400)) {
            step(static_cast<std::uint8_t>(c));
        }
        disk_.crash({});
        start_again();
    }

private:
    bool start() {
        timers_ = std::make_unique<env::ManualTimers>(clock_);
        lines_ = std::make_unique<Lines>();
        listener_ = std::make_unique<Acknowledged>();
        node_ = std::make_unique<SingleNode>(
            SingleNodeOptions{.node = NodeId("m"), .snapshot_after_records = 6},
            SingleNodeEnv{.disk = disk_, .timers = *timers_, .log = {}});
        timers_->attach(*node_);
        disk_.attach(*node_);
        return node_->start(*lines_, *listener_).has_value();
    }

    void settle() {
        while (disk_.pump_all() + timers_->fire_due() > 0) {
        }
    }

    void start_again() {
        const std::uint64_t acknowledged = std::max(listener_->highest, kept_);
        CHECK(start());
        settle();
        CHECK(lines_->all.size() >= acknowledged);
        kept_ = lines_->all.size();
    }

    // A bit flips on the disk of a node that is not running: what is read then is what was there,
    // or an error, or the tail that nothing sealed is missing.
    void flip(std::size_t where) {
        const auto& files = disk_.files();
        if (files.empty()) {
            return;
        }
        auto file = files.begin();
        std::advance(file, static_cast<std::ptrdiff_t>(where % files.size()));
        if (file->second.empty()) {
            return;
        }
        const std::string path = file->first;
        const std::string good = file->second;
        const std::vector<std::string> before = lines_->all;
        disk_.flip_bit(path, (where * 31) % good.size(), static_cast<unsigned>(where % 8));
        const auto log = recover(disk_, {.folder = "meta"});
        CHECK(log || log.error().code == Errc::corrupt);
        CHECK(!log || log->report.last.raw() == before.size() || !log->report.reason.empty());
        disk_.put(path, good);
    }

    void step(std::uint8_t code) {
        const std::size_t argument = code >> 3U;
        switch (code & 7U) {
            case 0:
            case 1: node_->propose(Ticket(++ticket_), std::string(argument, 'a')); break;
            case 2: disk_.pump_one(); break;
            case 3: settle(); break;
            case 4:
                clock_.advance(std::chrono::milliseconds(100 * argument));
                timers_->fire_due();
                break;
            case 5:
                disk_.crash({.operations = argument % 3,
                             .torn_bytes = argument * 5,
                             .torn_as_zeros = argument % 2 == 1});
                start_again();
                break;
            case 6: disk_.fail_next(1, {Errc::io_error, "bad"}, argument); break;
            default:
                settle();
                flip(argument + ticket_ * 7);
                break;
        }
    }

    env::ManualClock clock_;
    env::MemoryDisk disk_;
    std::unique_ptr<env::ManualTimers> timers_;
    std::unique_ptr<Lines> lines_;
    std::unique_ptr<Acknowledged> listener_;
    std::unique_ptr<SingleNode> node_;
    std::uint64_t ticket_ = 0;
    std::uint64_t kept_ = 0;
};

}  // namespace
}  // namespace muster::raft

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) {
        return 0;
    }
    switch (input.front()) {
        case 0: muster::raft::read_segment(input.substr(1)); break;
        case 1: muster::raft::read_snapshot(input.substr(1)); break;
        default: muster::raft::Story().run(input.substr(1)); break;
    }
    return 0;
}
