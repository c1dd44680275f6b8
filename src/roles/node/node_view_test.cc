#include "roles/node/node_view.h"

#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "env/memory_disk.h"

namespace muster::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonoTime kStart{seconds(1000)};
const NodeId kMeta1("m1");
const NodeId kMeta2("m2");

KeptView some_view() {
    return {.table = {.epoch = Epoch(7),
                      .slots = {{.leader = NodeId("d1"),
                                 .followers = {NodeId("d2"), NodeId("d3")},
                                 .epoch = Epoch(3),
                                 .floor = Version(99)},
                                {}}},
            .members_epoch = 4,
            .members = {{.node = NodeId("d1"),
                         .role = Role::data,
                         .address = "10.0.0.1:9620",
                         .incarnation = Incarnation(5),
                         .peer_address = "10.0.0.1:9630",
                         .zone = "a",
                         .folder = 17,
                         .phase = MemberPhase::leaving}},
            .ceiling = Version(1'000'000),
            .reserved = Version(500)};
}

msg::NodeHeartbeatReply answer(const KeptView& view) {
    return {.incarnation = Incarnation(2),
            .version_ceiling = view.ceiling,
            .table = view.table,
            .members_epoch = view.members_epoch,
            .members = view.members};
}

// A node's disk and its lives.
class Node : public msg::Outbox, env::DiskTarget, LogSink {
public:
    Node() {
        disk.attach(*this);
        start();
    }
    void start() {
        view.emplace(
            NodeViewOptions{.incarnation = Incarnation(2), .folder = 17, .metas = {kMeta1, kMeta2}},
            NodeViewEnv{.outbox = *this, .log = Log(*this, LogLevel::info), .disk = &disk});
        view->begin(now);
    }
    // The process is killed; of what it was writing nothing is there.
    void restart() {
        disk.crash({});
        start();
    }
    void pass(Duration time) {
        now += time;
        view->flush(now);
        disk.pump_all();
    }
    void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
        if (const auto* request = std::get_if<msg::ViewRequest>(&message)) {
            asked.push_back(*request);
        } else if (const auto* reply = std::get_if<msg::ViewReply>(&message)) {
            told.push_back(*reply);
        } else {
            sent.emplace_back(to, std::get<msg::NodeHeartbeat>(message));
        }
    }
    void on_disk(env::DiskOpId op, const Result<void>& outcome) override {
        ASSERT_TRUE(NodeView::owns(op));
        ++writes;
        view->on_disk(op, outcome);
    }

    void write(LogLevel /*level*/, std::string_view event,
               std::initializer_list<LogField> fields) override {
        std::string line(event);
        for (const LogField& field : fields) {
            line += " " + field.value;
        }
        said.push_back(std::move(line));
    }
    [[nodiscard]] std::vector<std::string> said_of(std::string_view event) const {
        std::vector<std::string> lines;
        std::ranges::copy_if(said, std::back_inserter(lines),
                             [&](const std::string& line) { return line.starts_with(event); });
        return lines;
    }

    env::MemoryDisk disk;
    MonoTime now = kStart;
    std::optional<NodeView> view;
    std::vector<std::pair<msg::RoleAddress, msg::NodeHeartbeat>> sent;
    std::vector<msg::ViewRequest> asked;
    std::vector<msg::ViewReply> told;
    std::vector<std::string> said;
    int writes = 0;
};

TEST(ViewCodec, ReadsBackWhatItWrote) {
    const auto again = decode_view(encode_view(some_view()));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*again, some_view());
    EXPECT_EQ(*decode_view(encode_view({})), KeptView{});
}

TEST(ViewCodec, RefusesAnyBitThatIsWrongAndAnyCut) {
    const std::string whole = encode_view(some_view());
    for (std::size_t i = 0; i < whole.size() * 8; ++i) {
        std::string flipped = whole;
        flipped[i / 8] =
            static_cast<char>(static_cast<unsigned char>(flipped[i / 8]) ^ (1U << (i % 8)));
        EXPECT_FALSE(decode_view(flipped)) << i;
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(decode_view(whole.substr(0, size))) << size;
    }
    EXPECT_FALSE(decode_view(whole + '\0'));
}

TEST(ViewCodec, TellsAnotherFormatFromDamage) {
    std::string other = encode_view(some_view());
    other[11] = 9;
    EXPECT_EQ(decode_view(other).error().code, Errc::corrupt) << "a byte that went bad";
    std::string crc;
    append_big_endian(crc, crc32c(other.substr(16), crc32c(other.substr(0, 12))));
    other.replace(12, 4, crc);
    EXPECT_EQ(
        decode_view(other).error(),
        (Error{Errc::refused, "written in format 9 by another release, this one reads format 1"}));
}

TEST(NodeView, TellsAllMetasWhatItHas) {
    Node node;
    ASSERT_TRUE(node.view->take(kMeta2, answer(some_view()), node.now).table);
    node.view->beat({.member = {.node = NodeId("s1")}});
    ASSERT_EQ(node.sent.size(), 2U);
    EXPECT_EQ(node.sent[0].first.node, kMeta1);
    EXPECT_EQ(node.sent[1].first.node, kMeta2);
    EXPECT_EQ(node.sent[0].second.table_epoch, Epoch(7));
    EXPECT_EQ(node.sent[0].second.members_epoch, 4U);
    EXPECT_EQ(node.view->leader(), kMeta2);
}

TEST(NodeView, TellsTheMetasWhoseProcessEndedUntilItIsBackOrNoMember) {
    Node node;
    const auto told = [&] {
        node.view->beat({.member = {.node = NodeId("s1")}});
        return node.sent.back().second.lost;
    };
    ASSERT_TRUE(node.view->take(kMeta2, answer(some_view()), node.now).members);
    for (const char* name : {"d1", "d2"}) {
        node.view->on_link(NodeId(name), msg::LinkEvent::closed);
    }
    using Lost = msg::NodeHeartbeat::Lost;
    const Lost d1{NodeId("d1"), Incarnation(5)};
    EXPECT_EQ(told(), (std::vector{d1, Lost{NodeId("d2")}})) << "and in which life";
    node.view->on_link(NodeId("d1"), msg::LinkEvent::silent);
    node.view->on_link(NodeId("d2"), msg::LinkEvent::up);
    EXPECT_EQ(told(), std::vector{d1});
    auto without = some_view();
    ++without.members_epoch;
    without.members.clear();
    ASSERT_TRUE(node.view->take(kMeta2, answer(without), node.now).members);
    EXPECT_TRUE(told().empty());
}

TEST(NodeView, TakesOnlyWhatIsNewerAndMeantForThisLife) {
    Node node;
    auto other_life = answer(some_view());
    other_life.incarnation = Incarnation(1);
    EXPECT_FALSE(node.view->take(kMeta1, other_life, node.now).answered);
    const auto first = node.view->take(kMeta1, answer(some_view()), node.now);
    EXPECT_TRUE(first.answered && first.first && first.table && first.members);
    auto older = some_view();
    older.table.epoch = Epoch(6);
    older.ceiling = Version(1);
    const auto next = node.view->take(kMeta1, answer(older), node.now);
    EXPECT_TRUE(next.answered);
    EXPECT_FALSE(next.first || next.table || next.members);
    EXPECT_EQ(node.view->ceiling(), Version(1'000'000));
}

TEST(NodeView, SaysOnceAMinuteThatAnOlderTableIsIgnored) {
    Node node;
    const msg::RoleAddress peer{NodeId("d2"), Role::data};
    node.view->take(kMeta1, answer(some_view()), node.now);
    node.view->take(kMeta1, answer(some_view()), node.now);  // doubled
    node.view->take(kMeta1, answer({}), node.now);           // of a meta that has none
    EXPECT_EQ(node.view->older_tables().value(), 0U);
    auto older = some_view();
    older.table.epoch = Epoch(6);
    older.table.slots.clear();
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(node.view->take(kMeta2, answer(older), node.now).table);
    }
    EXPECT_FALSE(node.view->take(peer.node, msg::ViewReply{.table = older.table}, node.now).table);
    EXPECT_EQ(node.view->table(), some_view().table);
    EXPECT_EQ(node.view->older_tables().value(), 101U);
    EXPECT_EQ(node.said_of("node.view.older"),
              std::vector<std::string>{
                  "node.view.older m2 the slot table of epoch 6 that node 'm2' offers is older "
                  "than the one of epoch 7 that is used, and is ignored: a late message; if it "
                  "goes on, look whether that node is cut off from the metas (muster members)"});
    node.now += seconds(60);
    node.view->take(peer.node, msg::ViewReply{.table = older.table}, node.now);
    EXPECT_EQ(node.said_of("node.view.older").size(), 2U);
}

TEST(NodeView, UsesWhatIsKeptWhenNoMetaAnswersAfterTheStart) {
    Node node;
    node.view->take(kMeta1, answer(some_view()), node.now);
    node.pass({});
    node.restart();
    EXPECT_FALSE(node.view->use_kept(node.now + milliseconds(999)).table);
    EXPECT_TRUE(node.view->table().slots.empty());
    const auto news = node.view->use_kept(node.now + seconds(1));
    EXPECT_TRUE(news.table && news.members);
    EXPECT_FALSE(news.answered);
    EXPECT_TRUE(node.view->from_kept());
    EXPECT_FALSE(node.view->greeted());
    EXPECT_EQ(node.view->table(), some_view().table);
    EXPECT_EQ(node.view->members(), some_view().members);
    EXPECT_EQ(node.view->ceiling(), some_view().ceiling);
    EXPECT_FALSE(node.view->use_kept(node.now + seconds(2)).table);
    EXPECT_TRUE(node.view->take(kMeta1, answer({}), node.now).first);
    EXPECT_FALSE(node.view->from_kept());
}

TEST(NodeView, ForgetsWhatIsKeptWhenAMetaAnswers) {
    Node node;
    node.view->take(kMeta1, answer(some_view()), node.now);
    node.pass({});
    node.restart();
    auto newer = some_view();
    newer.table.epoch = Epoch(1);  // of a cluster that was begun anew
    EXPECT_TRUE(node.view->take(kMeta1, answer(newer), node.now).table);
    EXPECT_FALSE(node.view->use_kept(node.now + seconds(5)).table);
    EXPECT_EQ(node.view->table().epoch, Epoch(1));
}

TEST(NodeView, WritesOnlyWhatChangedAndNotMoreOftenThanTheInterval) {
    Node node;
    node.pass({});
    EXPECT_EQ(node.writes, 0);
    auto view = some_view();
    for (int i = 0; i < 100; ++i) {
        view.table.epoch = Epoch(view.table.epoch.raw() + 1);
        node.view->take(kMeta1, answer(view), node.now);
        node.pass(milliseconds(25));
    }
    EXPECT_EQ(node.writes, 3);  // at once, and after each second
    node.pass(seconds(1));
    node.pass(seconds(9));
    EXPECT_EQ(node.writes, 4);
    EXPECT_EQ(decode_view(*node.disk.read("cluster.mview"))->table, view.table);
}

TEST(NodeView, IsToldByOthersWhatTheMetasThatItCannotReachSaid) {
    Node node;
    const msg::RoleAddress peer{NodeId("d2"), Role::data};
    auto newer = some_view();
    newer.table.epoch = Epoch(newer.table.epoch.raw() + 1);
    newer.members_epoch += 1;
    newer.ceiling = Version(newer.ceiling.raw() + 1);
    const msg::ViewReply told{.table = newer.table,
                              .members_epoch = newer.members_epoch,
                              .members = newer.members,
                              .version_ceiling = newer.ceiling};
    EXPECT_FALSE(node.view->take(peer.node, told, node.now).table) << "before the metas let it in";
    node.view->take(kMeta1, answer(some_view()), node.now);
    node.view->ask(peer, node.now);
    EXPECT_TRUE(node.asked.empty()) << "its metas tell it";
    node.now += seconds(2);
    node.view->ask(peer, node.now);
    node.view->ask(peer, node.now);
    ASSERT_EQ(node.asked.size(), 1U);
    EXPECT_EQ(node.asked[0].table_epoch, some_view().table.epoch);
    const auto news = node.view->take(peer.node, told, node.now);
    EXPECT_TRUE(news.table && news.members && !news.answered);
    EXPECT_EQ(node.view->table(), newer.table);
    EXPECT_EQ(node.view->ceiling(), newer.ceiling);
    EXPECT_FALSE(node.view->take(peer.node, told, node.now).table) << "again";
    node.view->answer(peer, {.table_epoch = newer.table.epoch});
    EXPECT_TRUE(node.told.empty()) << "it has that";
    node.view->answer(peer, {.table_epoch = Epoch(1)});
    ASSERT_EQ(node.told.size(), 1U);
    EXPECT_EQ(node.told[0].table, newer.table);
}

TEST(NodeView, TriesAgainWhenTheDiskFailed) {
    Node node;
    node.disk.fail_next(2, {Errc::io_error, "full"});
    node.view->take(kMeta1, answer(some_view()), node.now);
    node.view->reserve(Version(10));
    node.pass({});
    node.pass({});
    EXPECT_EQ(node.writes, 1);
    node.pass(seconds(1));
    EXPECT_EQ(node.view->reserved(), Version());
    node.pass(seconds(1));
    EXPECT_EQ(node.view->write_failures().value(), 2U);
    EXPECT_TRUE(decode_view(*node.disk.read("cluster.mview")).has_value());
    EXPECT_GT(node.view->reserved(), Version(10));
}

TEST(NodeView, ReservesVersionsOnDiskBeforeTheyMayBeGiven) {
    Node node;
    auto view = some_view();
    view.ceiling = Version(std::uint64_t{1} << 40);
    node.view->take(kMeta1, answer(view), node.now);
    node.view->reserve(Version(1000));
    EXPECT_EQ(node.view->reserved(), Version());
    node.pass({});
    const Version reserved = node.view->reserved();
    EXPECT_GT(reserved, Version(1000));
    node.view->reserve(Version(1001));
    node.pass(seconds(5));
    EXPECT_EQ(node.writes, 1);
    node.view->reserve(Version(reserved.raw() - 1));
    node.restart();  // before it is written
    EXPECT_EQ(node.view->reserved_before(), reserved);
}

TEST(NodeView, ReservesNothingAboveTheCeiling) {
    Node node;
    node.view->take(kMeta1, answer(some_view()), node.now);
    node.view->reserve(Version(999'999));
    node.pass({});
    EXPECT_EQ(node.view->reserved(), Version(1'000'000));
}

TEST(NodeView, KeepsTheKeptTableWhenItWritesBeforeItIsUsed) {
    Node node;
    node.view->take(kMeta1, answer(some_view()), node.now);
    node.pass({});
    node.restart();
    node.view->reserve(Version(1));
    node.pass(milliseconds(10));
    EXPECT_EQ(decode_view(*node.disk.read("cluster.mview"))->table, some_view().table);
}

TEST(NodeView, IsRefusedForGoodOnlyWhenNobodyLetsItIn) {
    Node node;
    const Error why{Errc::conflict, "s1 is in use by another folder"};
    node.view->take({.incarnation = Incarnation(2), .folder = 18, .why = why}, node.now);
    EXPECT_FALSE(node.view->refused(node.now + seconds(60)));
    node.view->take({.incarnation = Incarnation(2), .folder = 17, .why = why}, node.now);
    EXPECT_FALSE(node.view->refused(node.now + seconds(9)));
    ASSERT_TRUE(node.view->refused(node.now + seconds(10)));
    node.view->take(kMeta1, answer(some_view()), node.now);
    EXPECT_FALSE(node.view->refused(node.now + seconds(60)));
}

TEST(NodeView, AsksAtABoundedPace) {
    Node node;
    EXPECT_TRUE(node.view->may_ask(node.now));
    EXPECT_FALSE(node.view->may_ask(node.now + milliseconds(19)));
    EXPECT_TRUE(node.view->may_ask(node.now + milliseconds(20)));
}

TEST(NodeView, GivesTheMetasTheTimeOfItsOwnPause) {
    Node node;
    node.view->take(kMeta1, answer(some_view()), node.now);
    node.pass({});
    node.restart();
    node.view->extend(seconds(20));
    EXPECT_FALSE(node.view->use_kept(node.now + seconds(20)).table);
    EXPECT_EQ(node.view->silence(node.now + seconds(20)), Duration{});
}

}  // namespace
}  // namespace muster::node
