#pragma once

#include <variant>

#include "msg/brake.h"
#include "msg/data_data.h"
#include "msg/history.h"
#include "msg/node_meta.h"
#include "msg/propagation.h"
#include "msg/session_data.h"
#include "msg/verify.h"
#include "msg/view.h"

// What the roles say to each other. Every message may be lost, doubled or overtaken; each says how
// the receiver copes.
namespace muster::msg {

using ClusterMessage = std::variant<
    PublishBatch, InterestDeclare, InterestDrop, SessionHeartbeat, SlotDetail, ListServices,
    PublishBatchReply, ChangeBatch, InterestAck, DataHeartbeat, SlotDetailRequest,
    ListServicesReply, NodeHeartbeat, ConfigInterest, ConfigPut, PutTurnRequest, NodeHeartbeatReply,
    ConfigValue, PutTurnReply, ConfigPutReply, FollowSlot, SlotEntries, ImageRequest, SlotImage,
    FollowAck, LeaderPulse, VerifyRequest, VerifyReply, NotLeading, NodeRefused, OperatorRequest,
    OperatorReply, BrakeRequest, BrakeReply, Superseded, CopiesRequest, CopiesReply,
    VerifySessionReply, ViewRequest, ViewReply, NewestRequest, NewestReply, ReachRequest,
    ReachReply, MarkRequest, MarkReply, HistoryRequest, HistoryReply, ChangesTaken>;

}  // namespace muster::msg
