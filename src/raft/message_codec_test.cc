#include "raft/message_codec.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "raft/membership.h"
#include "raft/vote_file.h"

namespace muster::raft {
namespace {

SharedBytes bytes_of(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

std::vector<Message> one_of_each() {
    const auto with = [](MessageBody body) {
        return Message{
            .from = NodeId("n1"), .to = NodeId("n2"), .term = Term(7), .body = std::move(body)};
    };
    const Membership members{.voters = {NodeId("n1"), NodeId("n2")}, .learners = {NodeId("n3")}};
    return {with(VoteRequest{
                .pre = true, .transfer = false, .last_index = LogIndex(9), .last_term = Term(6)}),
            with(VoteReply{.pre = false, .granted = true}),
            with(AppendRequest{.prev_index = LogIndex(9),
                               .prev_term = Term(6),
                               .commit = LogIndex(8),
                               .round = 3,
                               .last = LogIndex(11),
                               .life = 1,
                               .entries = {{.term = Term(6),
                                            .index = LogIndex(10),
                                            .kind = EntryKind::command,
                                            .data = bytes_of("set a")},
                                           {.term = Term(7),
                                            .index = LogIndex(11),
                                            .kind = EntryKind::membership,
                                            .data = bytes_of(encode_membership(members))}}}),
            with(AppendReply{.accepted = true, .match = LogIndex(11), .round = 3, .doubt = true}),
            with(SnapshotChunk{.index = LogIndex(5),
                               .index_term = Term(2),
                               .total = 6,
                               .crc = 1,
                               .offset = 3,
                               .round = 0,
                               .bytes = "abc"}),
            with(SnapshotReply{.index = LogIndex(5), .offset = 6, .round = 1, .life = 0}),
            with(TimeoutNow{}),
            with(PastRequest{.life = 17}),
            with(PastReply{.life = 17, .nothing = true})};
}

std::string resealed(std::string bytes) {
    const std::uint32_t crc =
        crc32c(std::string_view(bytes).substr(8), crc32c(std::string_view(bytes).substr(0, 4)));
    std::string sum;
    append_big_endian(sum, crc);
    return bytes.replace(4, 4, sum);
}

TEST(MessageCodec, ReadsBackWhatItWrote) {
    for (const Message& message : one_of_each()) {
        const std::string bytes = encode_message(0xC1, message);
        const auto read = decode_message(bytes);
        ASSERT_TRUE(read.has_value()) << message.body.index();
        EXPECT_EQ(read->cluster, 0xC1U);
        EXPECT_EQ(read->message.body.index(), message.body.index());
        EXPECT_EQ(encode_message(0xC1, read->message), bytes);
    }
}

TEST(MessageCodec, RefusesEveryCutAndEveryFlip) {
    for (const Message& message : one_of_each()) {
        const std::string bytes = encode_message(0xC1, message);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            EXPECT_FALSE(decode_message(bytes.substr(0, i)).has_value());
            std::string flipped = bytes;
            flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
            EXPECT_FALSE(decode_message(flipped).has_value());
        }
        EXPECT_FALSE(decode_message(bytes + "x").has_value());
    }
}

TEST(MessageCodec, SaysThatAnotherReleaseWroteIt) {
    std::string bytes = encode_message(1, one_of_each()[0]);
    bytes[2] = 2;
    const auto read = decode_message(resealed(bytes));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, Errc::refused);
}

TEST(MessageCodec, RefusesEntriesThatContradictTheirMessage) {
    Message message = one_of_each()[2];
    auto& request = std::get<AppendRequest>(message.body);
    request.entries[0].term = Term(5);  // below prev_term
    EXPECT_FALSE(decode_message(encode_message(1, message)).has_value());
    request.entries[0].term = Term(6);
    request.entries[1].term = Term(8);  // above the message's
    EXPECT_FALSE(decode_message(encode_message(1, message)).has_value());
    request.entries[1].term = Term(7);
    request.entries[1].data = bytes_of("no members");
    EXPECT_FALSE(decode_message(encode_message(1, message)).has_value());
    request.entries.clear();
    request.prev_index = LogIndex(UINT64_MAX);
    EXPECT_TRUE(decode_message(encode_message(1, message)).has_value());
}

TEST(MessageCodec, RefusesACountThatTheBytesCannotHold) {
    Message message = one_of_each()[2];
    std::get<AppendRequest>(message.body).entries.clear();
    std::string bytes = encode_message(1, message);
    bytes.replace(bytes.size() - 4, 4, "\xff\xff\xff\xff");
    EXPECT_FALSE(decode_message(resealed(bytes)).has_value());
}

TEST(MessageCodec, KeepsTheBytesOfTheFormatPage) {
    const std::string bytes = encode_message(
        0xC1, {.from = NodeId("n1"), .to = NodeId("n2"), .term = Term(7), .body = TimeoutNow{}});
    std::string hex;
    for (const char byte : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        hex += kDigits[static_cast<unsigned char>(byte) >> 4U];
        hex += kDigits[static_cast<unsigned char>(byte) & 15U];
    }
    EXPECT_EQ(hex, "4d520106e9948fb500000000000000c1026e31026e320000000000000007");
}

TEST(VoteFile, ReadsBackWhatItWroteAndRefusesEveryFlip) {
    const VoteFile file{.written = 4,
                        .cluster = 0xC1,
                        .node = NodeId("n1"),
                        .hard = {.term = Term(7), .vote = NodeId("n2"), .life = 2, .doubt = true}};
    const std::string bytes = encode_vote_file(file);
    EXPECT_EQ(decode_vote_file(bytes), file);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string flipped = bytes;
        flipped[i] = static_cast<char>(flipped[i] ^ 1);
        EXPECT_FALSE(decode_vote_file(flipped).has_value());
        EXPECT_FALSE(decode_vote_file(bytes.substr(0, i)).has_value());
    }
}

TEST(Membership, ChangesByOneMemberAtATime) {
    const auto nodes = [](std::initializer_list<const char*> names) {
        std::vector<NodeId> ids;
        for (const char* name : names) {
            ids.emplace_back(name);
        }
        return ids;
    };
    const Membership now{.voters = nodes({"a", "b", "c"}), .learners = nodes({"d"})};
    EXPECT_TRUE(single_step(now, {.voters = nodes({"a", "b", "c", "d"})}).has_value());
    EXPECT_TRUE(single_step(now, {.voters = nodes({"a", "b"}), .learners = nodes({"d"})}));
    EXPECT_TRUE(single_step(now, {.voters = nodes({"a", "b"}), .learners = nodes({"c", "d"})}));
    EXPECT_TRUE(single_step(now, {.voters = nodes({"a", "b", "c"}), .learners = {}}));
    EXPECT_FALSE(single_step(now, now));
    EXPECT_FALSE(
        single_step(now, {.voters = nodes({"a", "b", "c", "e"}), .learners = nodes({"d"})}));
    EXPECT_FALSE(single_step(now, {.voters = nodes({"a"}), .learners = nodes({"d"})}));
    EXPECT_FALSE(single_step(now, {.voters = {}, .learners = nodes({"d"})}));
}

}  // namespace
}  // namespace muster::raft
