#include "raft/raft_node.h"

#include <memory>

#include <gtest/gtest.h>

#include "env/manual_time.h"
#include "env/memory_disk.h"
#include "raft/message_codec.h"
#include "raft/notebook.h"
#include "raft/record_log.h"

namespace muster::raft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Shows its state as it was, a line at a time.
class SlowNotebook final : public StateMachine {
public:
    class View final : public StateView {
    public:
        explicit View(std::vector<std::string> lines) : lines_(std::move(lines)) {}
        bool append_part(std::string& out, std::size_t /*bytes_max*/) override {
            if (next_ < lines_.size()) {
                out += lines_[next_++] + "\n";
            }
            return next_ < lines_.size();
        }
        [[nodiscard]] std::size_t bytes_about() const override {
            return 0;
        }

    private:
        std::vector<std::string> lines_;
        std::size_t next_ = 0;
    };

    std::string apply(LogIndex index, std::string_view command) override {
        return notebook.apply(index, command);
    }
    [[nodiscard]] Result<void> readable(std::string_view command) const override {
        return notebook.readable(command);
    }
    [[nodiscard]] std::string snapshot() const override {
        return notebook.snapshot();
    }
    [[nodiscard]] std::unique_ptr<StateView> view() const override {
        return std::make_unique<View>(notebook.lines);
    }
    [[nodiscard]] Result<void> restore(std::string_view snapshot) override {
        return notebook.restore(snapshot);
    }

    Notebook notebook;
};

// A node whose peers are the test.
class Lonely : public RaftTransport {
public:
    explicit Lonely(std::vector<std::string> voters = {"a"}) {
        options.cluster = 7;
        options.core.node = NodeId("a");
        options.reserve = {.bytes = 0};
        options.bootstrap = Membership{};
        for (std::string& voter : voters) {
            options.bootstrap->voters.emplace_back(std::move(voter));
        }
    }

    Result<RecoveryReport> start() {
        machine = std::make_unique<SlowNotebook>();
        witness = std::make_unique<Witness>();
        timers = std::make_unique<env::ManualTimers>(clock);
        node = std::make_unique<RaftNode>(
            options,
            RaftNodeEnv{
                .disk = disk, .timers = *timers, .transport = *this, .prng = Prng(1), .log = {}});
        timers->attach(*node);
        disk.attach(*node);
        return node->start(*machine, *witness);
    }
    void settle() {
        while (disk.pump_all() + timers->fire_due() > 0) {
        }
    }
    void elapse(Duration time) {
        for (Duration passed{}; passed < time; passed += milliseconds(50)) {
            clock.advance(milliseconds(50));
            settle();
        }
    }
    void lead() {
        ASSERT_TRUE(start().has_value());
        elapse(seconds(2));
        ASSERT_TRUE(witness->leads);
    }
    void propose(std::uint64_t ticket) {
        node->propose(Ticket(ticket), "line " + std::to_string(ticket));
    }
    void hear(const char* from, std::uint64_t term, MessageBody body) {
        EXPECT_TRUE(node->on_message(encode_message(options.cluster, {.from = NodeId(from),
                                                                      .to = NodeId("a"),
                                                                      .term = Term(term),
                                                                      .body = std::move(body)})));
        settle();
    }
    void hear_that_a_group_begins() {
        for (const NodeId& voter : options.bootstrap->voters) {
            hear(voter.raw().c_str(), 0,
                 PastReply{.life = node->core().hard_state().life, .nothing = true});
        }
    }
    [[nodiscard]] const std::vector<std::string>& lines() const {
        return machine->notebook.lines;
    }
    [[nodiscard]] std::vector<std::string> files(std::string_view suffix) const {
        std::vector<std::string> found;
        for (const auto& [path, bytes] : disk.files()) {
            if (path.ends_with(suffix)) {
                found.push_back(path);
            }
        }
        return found;
    }

    RaftNodeOptions options;
    env::ManualClock clock;
    env::MemoryDisk disk;
    std::unique_ptr<env::ManualTimers> timers;
    std::unique_ptr<SlowNotebook> machine;
    std::unique_ptr<Witness> witness;
    std::unique_ptr<RaftNode> node;
    std::size_t sent_bytes = 0;
    std::size_t sent = 0;

private:
    void send(const NodeId& /*to*/, std::string bytes) override {
        sent_bytes += bytes.size();
        ++sent;
    }
};

TEST(RaftNode, AnswersOnlyWhatIsDurable) {
    Lonely lonely;
    lonely.lead();
    lonely.propose(1);
    while (lonely.timers->fire_due() > 0) {
    }
    EXPECT_FALSE(lonely.witness->acknowledged.contains(1));
    EXPECT_TRUE(lonely.lines().empty());
    lonely.settle();
    EXPECT_TRUE(lonely.witness->acknowledged.contains(1));
    EXPECT_EQ(lonely.lines().size(), 1U);
}

TEST(RaftNode, KeepsEverythingAcrossRestartsUnderGrowingTerms) {
    Lonely lonely;
    std::uint64_t term = 0;
    for (std::uint64_t life = 1; life <= 5; ++life) {
        lonely.lead();
        EXPECT_GT(lonely.node->status().term.raw(), term);
        term = lonely.node->status().term.raw();
        EXPECT_EQ(lonely.lines().size(), (life - 1) * 3);
        for (std::uint64_t i = 1; i <= 3; ++i) {
            lonely.propose(life * 10 + i);
            lonely.settle();
        }
        lonely.disk.crash({});
    }
}

TEST(RaftNode, RefusesOutsideOfTheCall) {
    Lonely lonely({"a", "b", "c"});
    lonely.options.command_bytes_max = 100;
    ASSERT_TRUE(lonely.start().has_value());
    lonely.propose(1);
    lonely.node->read_barrier(Ticket(2));
    lonely.node->change(Ticket(3), {.voters = {NodeId("a")}});
    lonely.node->transfer(Ticket(4), NodeId("b"));
    lonely.node->propose(Ticket(5), std::string(101, 'x'));
    lonely.node->stop(Ticket(6));
    EXPECT_TRUE(lonely.witness->refused.empty());
    EXPECT_TRUE(lonely.witness->acknowledged.empty());
    lonely.settle();
    for (std::uint64_t ticket = 1; ticket <= 4; ++ticket) {
        EXPECT_EQ(lonely.witness->refused[ticket].code, Errc::not_leader) << ticket;
    }
    EXPECT_EQ(lonely.witness->refused[5].code, Errc::too_large);
    EXPECT_TRUE(lonely.witness->acknowledged.contains(6));  // it does not lead: it may end
}

TEST(RaftNode, ASnapshotIsOfTheStateThatWasLookedAt) {
    Lonely lonely;
    lonely.options.snapshot_after_records = 20;
    lonely.options.snapshot_part_bytes = 1;
    lonely.lead();
    std::uint64_t ticket = 0;
    // Commands come between the parts.
    while (lonely.files(".msnap").size() < 3) {
        lonely.propose(++ticket);
        lonely.timers->fire_due();
        lonely.disk.pump_one();
        ASSERT_LT(ticket, 2000U);
    }
    lonely.settle();
    const std::string path = lonely.files(".msnap").back();
    const auto file = decode_snapshot(lonely.disk.files().at(path));
    ASSERT_TRUE(file.has_value());
    EXPECT_LT(file->index, lonely.node->status().applied);
    // What stands in it is exactly what was applied up to its index.
    const auto applied = lonely.witness->acknowledged;
    std::size_t expected = 0;
    for (const auto& [number, answer] : applied) {
        expected += answer.first <= file->index.raw() ? 1 : 0;
    }
    EXPECT_EQ(
        static_cast<std::size_t>(std::count(file->payload.begin(), file->payload.end(), '\n')),
        expected);
    const std::vector<std::string> before = lonely.lines();
    lonely.disk.crash({});
    ASSERT_TRUE(lonely.start().has_value());
    lonely.elapse(seconds(2));
    EXPECT_EQ(lonely.lines(), before);
}

TEST(RaftNode, WithoutFirstMembersItWaitsInDoubt) {
    Lonely lonely;
    lonely.options.bootstrap.reset();
    ASSERT_TRUE(lonely.start().has_value());
    lonely.elapse(seconds(10));
    EXPECT_EQ(lonely.node->status().role, ConsensusRole::recovering);
    EXPECT_EQ(lonely.sent, 0U);
}

TEST(RaftNode, ADamagedLogIsReportedAndTheNodeDoesNotVote) {
    Lonely lonely;
    lonely.lead();
    for (std::uint64_t ticket = 1; ticket <= 3; ++ticket) {
        lonely.propose(ticket);
        lonely.settle();
    }
    lonely.elapse(seconds(1));  // sealed
    lonely.disk.crash({});
    lonely.disk.flip_bit(lonely.files(".mlog").back(), kSegmentHeaderBytes + 20, 2);
    const auto report = lonely.start();
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->truncated);
    EXPECT_FALSE(report->dropped_from.empty());
    lonely.elapse(seconds(10));
    EXPECT_EQ(lonely.node->status().role, ConsensusRole::recovering);
    EXPECT_FALSE(lonely.witness->leads);
}

TEST(RaftNode, RefusesALogOfANewerReleaseAndLeavesItAlone) {
    Lonely lonely;
    lonely.lead();
    lonely.node->propose(Ticket(1), "newer command");
    lonely.settle();
    lonely.disk.crash({});
    const auto before = lonely.disk.files();
    const auto started = lonely.start();
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().code, Errc::refused);
    EXPECT_EQ(lonely.disk.files(), before);
}

TEST(RaftNode, DropsMessagesItCannotReadOrThatAreOfAnotherCluster) {
    Lonely lonely({"a", "b", "c"});
    ASSERT_TRUE(lonely.start().has_value());
    lonely.settle();
    EXPECT_EQ(lonely.node->on_message("garbled").error().code, Errc::bad_frame);
    const auto other = lonely.node->on_message(encode_message(
        8, {.from = NodeId("b"), .to = NodeId("a"), .term = Term(99), .body = AppendRequest{}}));
    EXPECT_EQ(other.error().code, Errc::refused);
    lonely.settle();
    EXPECT_EQ(lonely.node->status().term, Term(0));
    lonely.hear_that_a_group_begins();
    lonely.hear("b", 3, AppendRequest{});
    EXPECT_EQ(lonely.node->status().term, Term(3));
    EXPECT_EQ(lonely.node->status().leader, NodeId("b"));
}

TEST(RaftNode, AFullDiskCostsTheOfficeAndSpaceBringsItBack) {
    Lonely lonely;
    lonely.lead();
    lonely.disk.set_capacity(lonely.disk.used());
    lonely.propose(1);
    lonely.elapse(seconds(3));
    EXPECT_EQ(lonely.witness->refused[1].code, Errc::io_error);
    EXPECT_NE(lonely.witness->refused[1].detail.find("no space left"), std::string::npos);
    EXPECT_EQ(lonely.node->status().role, ConsensusRole::recovering);
    lonely.disk.set_capacity(SIZE_MAX);
    lonely.elapse(seconds(5));
    lonely.propose(2);
    lonely.settle();
    EXPECT_TRUE(lonely.witness->acknowledged.contains(2));
}

TEST(RaftNode, ALogOnAFullDiskIsMadeSmallWithTheReserve) {
    Lonely lonely;
    lonely.options.reserve = {
        .bytes = 8000, .piece_bytes = 2000, .interval = std::chrono::seconds(30)};
    lonely.lead();
    lonely.elapse(seconds(2));
    for (std::uint64_t ticket = 1; ticket <= 50; ++ticket) {
        lonely.propose(ticket);
        lonely.settle();
    }
    lonely.disk.set_capacity(lonely.disk.used() + 10);
    for (std::uint64_t ticket = 51; ticket <= 60; ++ticket) {
        lonely.propose(ticket);
        lonely.settle();
    }
    EXPECT_EQ(lonely.witness->acknowledged.size(), 60U);
    EXPECT_TRUE(lonely.witness->refused.empty());
    EXPECT_GT(lonely.node->status().snapshot, LogIndex(50));  // long before one was due
}

TEST(RaftNode, ASingleVoterHasNobodyToHandOverTo) {
    Lonely lonely;
    lonely.lead();
    lonely.node->stop(Ticket(1));
    lonely.settle();
    EXPECT_EQ(lonely.witness->refused[1].code, Errc::unavailable);
}

// What an idle group of three says (docs/internals/raft.md, "Idle").
TEST(RaftNode, AnIdleLeaderSaysLittle) {
    Lonely lonely({"a", "b", "c"});
    ASSERT_TRUE(lonely.start().has_value());
    lonely.settle();
    lonely.hear_that_a_group_begins();
    const auto answer = [&] {
        const std::uint64_t term = lonely.node->status().term.raw();
        for (const char* peer : {"b", "c"}) {
            lonely.hear(
                peer, term,
                AppendReply{
                    .accepted = true, .match = lonely.node->core().log().last(), .round = 1});
        }
    };
    while (lonely.node->status().role != ConsensusRole::leader) {
        lonely.elapse(milliseconds(50));
        const std::uint64_t term = lonely.node->status().term.raw();
        lonely.hear("b", term + 1, VoteReply{.pre = true, .granted = true});
        lonely.hear("b", lonely.node->status().term.raw(), VoteReply{.granted = true});
    }
    answer();
    lonely.sent = lonely.sent_bytes = 0;
    for (int i = 0; i < 100; ++i) {
        lonely.elapse(milliseconds(100));
        answer();
    }
    EXPECT_EQ(lonely.sent, 200U);  // 10 s: one to each of two every 100 ms
    EXPECT_LE(lonely.sent_bytes, 200U * 80U);
}

}  // namespace
}  // namespace muster::raft
