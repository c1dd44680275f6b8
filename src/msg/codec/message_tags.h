#pragma once

#include <cstdint>

#include "msg/cluster.h"

// Which message the bytes are. A number is never used again for another message, not even when its
// message is gone: list it below then.
//
// Gone: none.
namespace muster::msg::codec {

template <class Message>
inline constexpr std::uint32_t kTag = 0;  // zero: none given yet

// session -> data
template <>
inline constexpr std::uint32_t kTag<PublishBatch> = 1;
template <>
inline constexpr std::uint32_t kTag<InterestDeclare> = 2;
template <>
inline constexpr std::uint32_t kTag<InterestDrop> = 3;
template <>
inline constexpr std::uint32_t kTag<SessionHeartbeat> = 4;
template <>
inline constexpr std::uint32_t kTag<SlotDetail> = 5;
template <>
inline constexpr std::uint32_t kTag<ListServices> = 6;
template <>
inline constexpr std::uint32_t kTag<ChangesTaken> = 7;

// data -> session
template <>
inline constexpr std::uint32_t kTag<PublishBatchReply> = 16;
template <>
inline constexpr std::uint32_t kTag<ChangeBatch> = 17;
template <>
inline constexpr std::uint32_t kTag<InterestAck> = 18;
template <>
inline constexpr std::uint32_t kTag<DataHeartbeat> = 19;
template <>
inline constexpr std::uint32_t kTag<SlotDetailRequest> = 20;
template <>
inline constexpr std::uint32_t kTag<ListServicesReply> = 21;
template <>
inline constexpr std::uint32_t kTag<NotLeading> = 22;
template <>
inline constexpr std::uint32_t kTag<Superseded> = 23;

// node -> meta
template <>
inline constexpr std::uint32_t kTag<NodeHeartbeat> = 32;
template <>
inline constexpr std::uint32_t kTag<ConfigInterest> = 33;
template <>
inline constexpr std::uint32_t kTag<ConfigPut> = 34;
template <>
inline constexpr std::uint32_t kTag<PutTurnRequest> = 35;
template <>
inline constexpr std::uint32_t kTag<OperatorRequest> = 36;

// meta -> node
template <>
inline constexpr std::uint32_t kTag<NodeHeartbeatReply> = 48;
template <>
inline constexpr std::uint32_t kTag<ConfigValue> = 49;
template <>
inline constexpr std::uint32_t kTag<PutTurnReply> = 50;
template <>
inline constexpr std::uint32_t kTag<ConfigPutReply> = 51;
template <>
inline constexpr std::uint32_t kTag<NodeRefused> = 52;
template <>
inline constexpr std::uint32_t kTag<OperatorReply> = 53;

// data <-> data
template <>
inline constexpr std::uint32_t kTag<FollowSlot> = 64;
template <>
inline constexpr std::uint32_t kTag<SlotEntries> = 65;
template <>
inline constexpr std::uint32_t kTag<SlotImage> = 66;
template <>
inline constexpr std::uint32_t kTag<FollowAck> = 67;
template <>
inline constexpr std::uint32_t kTag<ImageRequest> = 68;
template <>
inline constexpr std::uint32_t kTag<LeaderPulse> = 69;
template <>
inline constexpr std::uint32_t kTag<CopiesRequest> = 70;
template <>
inline constexpr std::uint32_t kTag<CopiesReply> = 71;

// data, session <-> data
template <>
inline constexpr std::uint32_t kTag<ViewRequest> = 72;
template <>
inline constexpr std::uint32_t kTag<ViewReply> = 73;

// operators <-> data, session
template <>
inline constexpr std::uint32_t kTag<VerifyRequest> = 80;
template <>
inline constexpr std::uint32_t kTag<VerifyReply> = 81;

// operators <-> anybody
template <>
inline constexpr std::uint32_t kTag<BrakeRequest> = 82;
template <>
inline constexpr std::uint32_t kTag<BrakeReply> = 83;

// session -> operators
template <>
inline constexpr std::uint32_t kTag<VerifySessionReply> = 84;

// operators <-> data
template <>
inline constexpr std::uint32_t kTag<NewestRequest> = 95;
template <>
inline constexpr std::uint32_t kTag<NewestReply> = 96;
template <>
inline constexpr std::uint32_t kTag<MarkRequest> = 97;
template <>
inline constexpr std::uint32_t kTag<MarkReply> = 98;

// operators <-> data, session
template <>
inline constexpr std::uint32_t kTag<ReachRequest> = 99;
template <>
inline constexpr std::uint32_t kTag<ReachReply> = 100;

// operators <-> data
template <>
inline constexpr std::uint32_t kTag<HistoryRequest> = 101;
template <>
inline constexpr std::uint32_t kTag<HistoryReply> = 102;

}  // namespace muster::msg::codec
