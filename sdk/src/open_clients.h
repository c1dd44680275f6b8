#pragma once

#include <memory>

namespace muster::sdk_core {

class Core;

// All open clients of the process: they live until they are closed, whatever becomes of the user's
// handles. The first one arranges for the end of the process (threads end before static objects do)
// and for fork(). Any thread.
void open_clients_add(std::shared_ptr<Core> core);
void open_clients_remove(const Core& core);

}  // namespace muster::sdk_core
