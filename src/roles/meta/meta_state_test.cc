#include "roles/meta/meta_state.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::meta {
namespace {

const Fence kFence{.physical = Version(1000), .headroom = 100};

MemberJoined joined(const std::string& node, Role role, std::uint64_t life) {
    return {.member = {.node = NodeId(node),
                       .role = role,
                       .address = "10.0.0.1:9620",
                       .incarnation = Incarnation(life)},
            .fence = kFence};
}

AssignSlots assign(std::uint64_t base, std::vector<AssignSlots::Assignment> slots) {
    return {.base = Epoch(base), .slot_count = 8, .slots = std::move(slots), .fence = kFence};
}

std::vector<Command> one_of_each() {
    MemberJoined full = joined("data-1", Role::data, 7);
    full.member.peer_address = "10.0.0.1:9700";
    full.member.zone = "z1";
    full.member.folder = 0x1122334455667788;
    full.member.phase = MemberPhase::leaving;
    full.handed_over = {{SlotId(1), NodeId("b")}, {SlotId(3), NodeId("c")}};
    return {full,
            joined("b", Role::data, 1),
            joined("c", Role::data, 1),
            assign(0, {{SlotId(1), NodeId("data-1"), {NodeId("b"), NodeId("c")}},
                       {SlotId(5), NodeId("data-1"), {}}}),
            SetPhases{{{NodeId("b"), Role::data, Incarnation(1), MemberPhase::dead},
                       {NodeId("c"), Role::data, Incarnation(1), MemberPhase::leaving}}},
            WishLeader{SlotId(1), NodeId("c")},
            SetPlacement{placement::Mode::forced, false},
            RemoveMember{NodeId("b"), Role::data},
            RaiseCeiling{Version(77)},
            PutConfig{"key", std::string("va\0lue", 6), Version(5)},
            ClearConfig{"key", Version(6)},
            RaiseEpochs{Epoch(9), 11}};
}

TEST(Command, ComesBackFromItsBytes) {
    for (const Command& command : one_of_each()) {
        EXPECT_EQ(decode_command(encode_command(command)), command);
    }
}

TEST(Command, HasTheBytesOfTheFormatPage) {
    const std::string bytes = encode_command(RaiseCeiling{Version(0x0102030405060708)});
    EXPECT_EQ(bytes, std::string("\x02\x03\x01\x02\x03\x04\x05\x06\x07\x08", 10));
    const std::string put = encode_command(PutConfig{"k", "v", Version(2)});
    EXPECT_EQ(put, std::string("\x02\x04\0\0\0\x01k\0\0\0\0\0\0\0\x02\0\0\0\x01v", 20));
}

TEST(Command, IsRefusedWhenCutProlongedOrOfAnotherRelease) {
    for (const Command& command : one_of_each()) {
        const std::string bytes = encode_command(command);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(decode_command(std::string_view(bytes).substr(0, size)).has_value());
        }
        EXPECT_FALSE(decode_command(bytes + "x").has_value());
        std::string newer = bytes;
        newer[0] = 3;
        EXPECT_EQ(decode_command(newer).error().code, Errc::refused);
        newer = bytes;
        newer[1] = 99;
        EXPECT_EQ(decode_command(newer).error().code, Errc::refused);
    }
}

TEST(MetaState, AnswersUnreadableCommandsWithoutChange) {
    MetaState state;
    const std::string before = state.snapshot();
    EXPECT_FALSE(decode_outcome(state.apply(raft::LogIndex(1), "rubbish")).has_value());
    EXPECT_EQ(state.snapshot(), before);
    EXPECT_EQ(state.unreadable_commands(), 1U);
}

TEST(MetaState, FencesTheSlotsOfANewLife) {
    MetaState state;
    ASSERT_TRUE(state.apply(RaiseCeiling{Version(5000)}));
    ASSERT_TRUE(state.apply(joined("d", Role::data, 1)));
    ASSERT_TRUE(state.apply(assign(0, {{SlotId(2), NodeId("d"), {}}})));
    EXPECT_EQ(state.ceiling(), Version(5000));
    EXPECT_EQ(state.table().slots[2].floor, Version());
    ASSERT_TRUE(state.apply(joined("d", Role::data, 2)));
    EXPECT_EQ(state.table().slots[2].floor, Version(5000));
    EXPECT_EQ(state.table().slots[2].epoch, Epoch(2));
    EXPECT_EQ(state.table().epoch, Epoch(2));
    EXPECT_EQ(state.ceiling(), Version(5100));
    // Again, or late: nothing.
    const std::string before = state.snapshot();
    ASSERT_TRUE(state.apply(joined("d", Role::data, 2)));
    ASSERT_TRUE(state.apply(joined("d", Role::data, 1)));
    EXPECT_EQ(state.snapshot(), before);
}

TEST(MetaState, RefusesAssignmentsMadeForAnotherTable) {
    MetaState state;
    ASSERT_TRUE(state.apply(joined("a", Role::data, 1)));
    ASSERT_TRUE(state.apply(joined("b", Role::data, 1)));
    ASSERT_TRUE(state.apply(assign(0, {{SlotId(0), NodeId("a"), {}}})));
    EXPECT_EQ(state.apply(assign(0, {{SlotId(0), NodeId("b"), {}}})).error().code, Errc::conflict);
    EXPECT_EQ(state.apply(assign(1, {{SlotId(8), NodeId("b"), {}}})).error().code,
              Errc::invalid_argument);
    EXPECT_EQ(state.apply(assign(1, {{SlotId(1), NodeId("z"), {}}})).error().code,
              Errc::invalid_argument);
    EXPECT_EQ(state.apply(assign(1, {{SlotId(1), NodeId("a"), {NodeId("a")}}})).error().code,
              Errc::invalid_argument);
    EXPECT_EQ(state.table().slots[0].leader, NodeId("a"));
}

TEST(MetaState, FencesOnlyWhatChangesItsLeader) {
    MetaState state;
    ASSERT_TRUE(state.apply(RaiseCeiling{Version(5000)}));
    for (const char* name : {"a", "b", "c"}) {
        ASSERT_TRUE(state.apply(joined(name, Role::data, 1)));
    }
    ASSERT_TRUE(state.apply(assign(0, {{SlotId(0), NodeId("a"), {}}})));
    ASSERT_TRUE(state.apply(assign(1, {{SlotId(0), NodeId("a"), {NodeId("b")}}})));
    EXPECT_EQ(state.table().epoch, Epoch(2));
    EXPECT_EQ(state.table().slots[0].epoch, Epoch(1));
    EXPECT_EQ(state.table().slots[0].floor, Version());
    EXPECT_EQ(state.ceiling(), Version(5000));
    ASSERT_TRUE(state.apply(assign(2, {{SlotId(0), NodeId("b"), {NodeId("a")}}})));
    EXPECT_EQ(state.table().slots[0].epoch, Epoch(2));
    EXPECT_EQ(state.table().slots[0].floor, Version(5000));
    EXPECT_EQ(state.ceiling(), Version(5100));
}

TEST(MetaState, HandsTheSlotsOfARestartedLeaderToItsFollowers) {
    MetaState state;
    ASSERT_TRUE(state.apply(joined("a", Role::data, 1)));
    ASSERT_TRUE(state.apply(joined("b", Role::data, 1)));
    ASSERT_TRUE(state.apply(assign(0, {{SlotId(0), NodeId("a"), {NodeId("b")}},
                                       {SlotId(1), NodeId("a"), {}},
                                       {SlotId(2), NodeId("b"), {NodeId("a")}}})));
    MemberJoined again = joined("a", Role::data, 2);
    again.handed_over = {{SlotId(0), NodeId("b")},
                         {SlotId(1), NodeId("b")},
                         {SlotId(2), NodeId("a")},
                         {SlotId(99), NodeId("b")}};
    ASSERT_TRUE(state.apply(again));
    EXPECT_EQ(state.table().slots[0].leader, NodeId("b"));
    EXPECT_EQ(state.table().slots[0].followers, std::vector{NodeId("a")});
    EXPECT_EQ(state.table().slots[0].epoch, Epoch(2));
    EXPECT_EQ(state.table().slots[1].leader, NodeId("a"));
    EXPECT_EQ(state.table().slots[1].epoch, Epoch(2));
    EXPECT_EQ(state.table().slots[2].leader, NodeId("b"));
    EXPECT_EQ(state.table().slots[2].epoch, Epoch(1));
}

TEST(MetaState, CountsChangesOfPhasesOfThePresentLifeOnly) {
    MetaState state;
    ASSERT_TRUE(state.apply(joined("s", Role::session, 2)));
    const auto set = [&](std::uint64_t life, MemberPhase phase) {
        ASSERT_TRUE(
            state.apply(SetPhases{{{NodeId("s"), Role::session, Incarnation(life), phase}}}));
    };
    set(1, MemberPhase::dead);
    set(2, MemberPhase::live);
    EXPECT_EQ(state.members_epoch(), 1U);
    set(2, MemberPhase::dead);
    EXPECT_EQ(state.members_epoch(), 2U);
    ASSERT_TRUE(state.apply(joined("s", Role::session, 3)));
    EXPECT_EQ(state.members().begin()->second.member.phase, MemberPhase::live);
}

TEST(MetaState, KeepsItsBoundsWithADefinedAnswer) {
    MetaState state;
    ASSERT_TRUE(state.apply(joined("d", Role::data, 1)));
    for (std::size_t i = 1; i < kMembersMax; ++i) {
        ASSERT_TRUE(state.apply(joined("s" + std::to_string(i), Role::session, 1)));
    }
    EXPECT_EQ(state.apply(joined("one more", Role::session, 1)).error().code, Errc::over_limit);
    EXPECT_TRUE(state.apply(joined("s1", Role::session, 2)).has_value());
    for (std::size_t i = 0; i < kConfigKeysMax; ++i) {
        ASSERT_TRUE(state.apply(PutConfig{"k" + std::to_string(i), "v", Version(1)}));
    }
    EXPECT_EQ(state.apply(PutConfig{"more", "v", Version(1)}).error().code, Errc::over_limit);
    EXPECT_TRUE(state.apply(PutConfig{"k1", "w", Version(1)}).has_value());
    std::size_t taken = 0;
    while (state.apply(PutConfig{"k" + std::to_string(taken),
                                 std::string(kConfigValueBytesMax, 'x'), Version(1)})) {
        ++taken;
    }
    EXPECT_EQ(taken, kConfigBytesMax / kConfigValueBytesMax - 1);
    EXPECT_TRUE(state.apply(RaiseCeiling{kVersionMax}).has_value());
    EXPECT_EQ(state.apply(assign(0, {{SlotId(0), NodeId("d"), {}}})).error().code,
              Errc::over_limit);
}

TEST(MetaState, IsTheSameAfterASnapshotAtAnyPoint) {
    Prng prng(11);
    MetaState straight;
    MetaState carried;
    for (int i = 0; i < 500; ++i) {
        const std::string node = "n" + std::to_string(prng.below(5));
        Command command;
        switch (prng.below(9)) {
            case 0: command = joined(node, Role::data, prng.below(20)); break;
            case 1: command = joined(node, Role::session, prng.below(20)); break;
            case 2:
                command =
                    assign(straight.table().epoch.raw(),
                           {{SlotId(static_cast<std::uint16_t>(prng.below(8))), NodeId(node), {}}});
                break;
            case 3: command = RaiseCeiling{Version(prng.below(100'000))}; break;
            case 4: command = PutConfig{node, std::to_string(prng.next()), Version(i + 1)}; break;
            case 5:
                command = SetPhases{{{NodeId(node), Role::data, Incarnation(prng.below(20)),
                                      static_cast<MemberPhase>(prng.below(3))}}};
                break;
            case 6: command = RemoveMember{NodeId(node), Role::data}; break;
            case 7:
                command =
                    WishLeader{SlotId(static_cast<std::uint16_t>(prng.below(8))), NodeId(node)};
                break;
            default: command = ClearConfig{node, Version(i + 1)}; break;
        }
        const std::string bytes = encode_command(command);
        const raft::LogIndex index(static_cast<std::uint64_t>(i) + 1);
        ASSERT_EQ(straight.apply(index, bytes), carried.apply(index, bytes));
        MetaState copy;
        ASSERT_TRUE(copy.restore(carried.snapshot()).has_value());
        ASSERT_EQ(copy.snapshot(), straight.snapshot());
        carried = std::move(copy);
    }
}

TEST(MetaState, GivesItsSnapshotInPartsWhateverIsAppliedMeanwhile) {
    MetaState state;
    for (const Command& command : one_of_each()) {
        (void)state.apply(command);
    }
    for (const std::size_t part : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
        const std::string then = state.snapshot();
        const auto view = state.view();
        std::string parts;
        std::uint64_t i = 0;
        for (bool more = true; more;) {
            const std::size_t before = parts.size();
            more = view->append_part(parts, part);
            EXPECT_LE(parts.size() - before, part + 100);
            ++i;
            (void)state.apply(joined("later" + std::to_string(i), Role::data, 1));
            (void)state.apply(PutConfig{"k" + std::to_string(i % 3), std::to_string(i),
                                        Version(state.ceiling().raw() + i)});
        }
        EXPECT_EQ(parts, then);
        EXPECT_NE(state.snapshot(), then);
    }
}

TEST(MetaState, RefusesSnapshotsThatAreCutAndStaysAsItWas) {
    MetaState state;
    for (const Command& command : one_of_each()) {
        (void)state.apply(command);
    }
    const std::string bytes = state.snapshot();
    MetaState other;
    ASSERT_TRUE(other.apply(RaiseCeiling{Version(3)}));
    const std::string before = other.snapshot();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(other.restore(std::string_view(bytes).substr(0, size)).has_value());
        EXPECT_EQ(other.snapshot(), before);
    }
    EXPECT_FALSE(other.restore(bytes + "x").has_value());
    EXPECT_TRUE(other.restore(bytes).has_value());
    EXPECT_EQ(other.snapshot(), bytes);
}

}  // namespace
}  // namespace muster::meta
