#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "model/ids.h"
#include "runtime/disk/data_folder.h"

// Who a data folder belongs to, and how often it was started from: what a node must know of itself
// before it says a word to others.
namespace muster::runtime {

// Written into a new folder, and never changed. Two processes that claim one node id are told
// apart by `folder`.
struct FolderOwner {
    std::uint64_t folder = 0;  // random, not zero
    NodeId node;
    std::string cluster;  // empty: a registry of its own

    [[nodiscard]] bool operator==(const FolderOwner&) const = default;
};

// Who wants to use a folder. Requires: `node`, if any, passes for a node id; `cluster` is one line.
struct FolderClaim {
    NodeId node;  // empty: whoever the folder belongs to; a name is made for a new one
    std::string cluster;
};

// Makes a new folder that of `claim`; tells of a used one whose it is. Errors: conflict when it is
// another's (with what to do), corrupt, io_error.
[[nodiscard]] Result<FolderOwner> claim_folder(const DataFolder& folder, const FolderClaim& claim);

// One life of the node.
struct NodeLife {
    Incarnation now;
    Incarnation before;  // zero: this is the first one from this folder
};

// Begins the next life, written durably before it is given. Its number is above the one before, and
// not below the milliseconds of `wall`: it grows from a lost folder to a new one, too, unless the
// clock was set back. Errors: corrupt when the file does not hold a number, io_error.
[[nodiscard]] Result<NodeLife> begin_life(const DataFolder& folder, WallTime wall);

}  // namespace muster::runtime
